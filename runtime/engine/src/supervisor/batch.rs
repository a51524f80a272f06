//! What is decided together: one append and the answers that wait for it.

use provost_domain::event::EventBody;
use provost_domain::ids::CmdId;
use provost_domain::time::Timestamp;
use provost_domain::tool::Content;

use super::messages::Answerer;
use crate::answer::StoredAnswer;

/// What one append will hold and whom it answers.
#[derive(Debug)]
pub(super) struct Batch {
    /// When all of it was decided: a record has one time, and the log must fold to the very session that decided on it.
    pub(super) at: Timestamp,
    pub(super) events: Vec<EventBody>,
    pub(super) contents: Vec<Content>,
    pub(super) acks: Vec<(CmdId, StoredAnswer)>,
    pub(super) answers: Vec<(Answerer, StoredAnswer)>,
    pub(super) turn_ended: bool,
}

impl Batch {
    pub(super) fn at(at: Timestamp) -> Self {
        Self { at, events: Vec::new(), contents: Vec::new(), acks: Vec::new(), answers: Vec::new(), turn_ended: false }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.acks.is_empty() && self.answers.is_empty()
    }
}
