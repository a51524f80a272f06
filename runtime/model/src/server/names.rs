//! Tools' names in past calls.

/// Longest tool name the protocol takes.
const NAME_MAX: usize = 64;

/// A past call's name as every protocol takes it; a model may have written anything.
pub(crate) fn name(tool: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let name: String = tool.chars().take(NAME_MAX).map(plain).collect();
    match name.chars().next() {
        Some(first) if first.is_ascii_alphabetic() || first == '_' => name,
        Some(_) | None => format!("_{name}").chars().take(NAME_MAX).collect(),
    }
}
