//! What every store bounds alike.

/// Longest list one call returns.
pub(crate) const LIST_MAX: u32 = 500;
