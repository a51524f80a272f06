//! The name of a source that a pack declares.

use std::fmt;

/// Longest name without its prefix, in bytes.
const NAME_MAX: usize = 40;
/// Longest prefix, in bytes.
const PREFIX_MAX: usize = 16;

/// A source by its whole name, as `webhook.NAME`: short enough to be copied as what it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceName {
    /// The name's bytes, then zeros, so that names are compared as texts are.
    bytes: [u8; PREFIX_MAX + NAME_MAX],
    length: u8,
}

impl SourceName {
    /// A prefix and a plain name: 1 to 40 of `a-z`, `0-9`, `_` and `-`.
    pub(super) fn new(prefix: &str, name: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
        if name.is_empty() || name.len() > NAME_MAX || prefix.len() > PREFIX_MAX || !name.bytes().all(plain) {
            return None;
        }
        let mut bytes = [0; PREFIX_MAX + NAME_MAX];
        for (to, from) in bytes.iter_mut().zip(prefix.bytes().chain(name.bytes())) {
            *to = from;
        }
        Some(Self { bytes, length: u8::try_from(prefix.len() + name.len()).ok()? })
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Debug for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
