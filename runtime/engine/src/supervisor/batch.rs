//! What is decided together: one append and the answers that wait for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use provost_domain::event::EventBody;
use provost_domain::ids::{AssignmentId, CmdId, Digest, Seq};
use provost_domain::port::ClaimChanges;
use provost_domain::request::Question;
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_domain::tool::{Content, Contents};

use super::messages::Input;
use crate::answer::StoredAnswer;

/// What one append will hold and whom it answers.
#[derive(Debug)]
pub(super) struct Batch {
    /// When all of it was decided: a record has one time, and the log must fold to the very session that decided on it.
    pub(super) at: Timestamp,
    pub(super) events: Vec<EventBody>,
    pub(super) contents: Vec<Content>,
    pub(super) claims: ClaimChanges,
    pub(super) acks: Vec<(CmdId, StoredAnswer)>,
    /// Each with the place of the input that it answers.
    pub(super) answers: Vec<(usize, StoredAnswer)>,
    pub(super) turn_ended: bool,
    /// What was decided and who waits for answers. Reports stand here only where they may have to be decided again.
    pub(super) inputs: Vec<Input>,
    /// Whether it begins the session.
    pub(super) creates: bool,
    /// Where the session stood before; only where a claim of another session may have it decided again.
    pub(super) before: Option<Standpoint>,
}

/// Where a session stands between two batches.
#[derive(Debug, Default)]
pub(super) struct Standpoint {
    pub(super) session: Option<Session>,
    pub(super) head_hash: Digest,
    pub(super) snapshot_seq: Seq,
    pub(super) released: bool,
    pub(super) contents: Contents,
    pub(super) questions: BTreeMap<AssignmentId, Arc<Question>>,
}

impl Batch {
    pub(super) fn at(at: Timestamp) -> Self {
        Self {
            at,
            events: Vec::new(),
            contents: Vec::new(),
            claims: ClaimChanges::default(),
            acks: Vec::new(),
            answers: Vec::new(),
            turn_ended: false,
            inputs: Vec::new(),
            creates: false,
            before: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty() && self.acks.is_empty() && self.answers.is_empty()
    }
}
