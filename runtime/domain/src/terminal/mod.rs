//! The only ways in which a session's status moves.

mod transition;
mod verify;

pub use transition::StatusChanged;
pub(crate) use transition::{FrameworkStatus, StatusChangedForm};
pub(crate) use verify::{Basis, Claim, check, verify};
