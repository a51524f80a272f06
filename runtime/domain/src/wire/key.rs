//! Names of properties that every server takes.

use crate::ids::Digest;

/// Longest name of a property.
const KEY_MAX: usize = 64;
/// How much of a long name is kept before its digest.
const KEPT: usize = 55;
/// How many digits of its digest tell it from others.
const DIGITS: usize = 8;

/// The one property of a tool without arguments: some servers refuse an object that has none. It is taken off again.
pub const NO_ARGUMENTS: &str = "no_arguments";

/// A property's name on the wire: its own, where every server takes it.
pub fn wire_key(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !key.is_empty() && key.len() <= KEY_MAX && key.chars().all(plain) {
        return key.to_owned();
    }
    let kept: String = key.chars().take(KEPT).map(|c| if plain(c) { c } else { '_' }).collect();
    let digest: String = Digest::of(key.as_bytes()).hex().chars().take(DIGITS).collect();
    format!("{kept}_{digest}")
}
