//! What bounds every format.

/// Longest title of a session, in characters.
pub(super) const TITLE_MAX: usize = 120;
