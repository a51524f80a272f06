//! An append whose session's row was updated for it: what it brings may be written.

use provost_domain::port::Append;

use super::rows::Sid;

/// An append that holds its session.
pub(super) struct Held<'a> {
    pub(super) sid: Sid,
    pub(super) append: &'a Append,
}
