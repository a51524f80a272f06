//! A session whose pack is not loaded as it was pinned: no other pack's rules decide for it. It can be stopped, settled
//! and told things; work it owes ends as `error`, never unseen.

use super::draft::Recorder;
use super::facts::Verdict;
use super::refuse::{self, pack_changed};
use super::{dispatch, reports};
use crate::command::{Command, Report};
use crate::ids::Fence;
use crate::refusal::Refusal;
use crate::session::{PendingApproval, Session, owed};
use crate::status::Status;
use crate::time::Timestamp;

/// What is known when the pack is not.
#[derive(Debug, Clone, Copy)]
pub struct Unserved<'a> {
    /// The present.
    pub now: Timestamp,
    /// The fence the session is held under.
    pub fence: Fence,
    /// What is loaded in the pinned pack's place: its digest, or [`NOT_LOADED`](super::NOT_LOADED).
    pub loaded: &'a str,
}

impl Unserved<'_> {
    /// Decides a command from outside.
    ///
    /// # Errors
    /// Everything that a pack would have to decide is refused as [`Refusal::PackChanged`].
    pub fn command(&self, session: &Session, command: &Command) -> Result<Verdict, Refusal> {
        refuse::check_authority(&command.by, command.ask.verb())?;
        refuse::check_version(session, command)?;
        refuse::check_words(command)?;
        if command.ask.verb().needs_pack() {
            return Err(pack_changed(session, self.loaded));
        }
        let mut recorder = Recorder::new(session.clone(), self.now, self.fence);
        dispatch::without_pack(&mut recorder, command)?;
        self.end_if_stuck(&mut recorder);
        Ok(recorder.into_verdict())
    }

    /// Decides on what the session's own side reports: work that is owed cannot be done.
    pub fn report(&self, session: Session, report: &Report) -> Verdict {
        let mut recorder = Recorder::new(session, self.now, self.fence);
        match report {
            Report::GivenUp { cause } => reports::given_up(&mut recorder, cause),
            // Nothing is performed for such a session, so nothing comes back.
            Report::TakenOver
            | Report::Tick
            | Report::Replied { .. }
            | Report::Returned { .. }
            | Report::Probed { .. }
            | Report::WorkerLost { .. } => self.end_if_stuck(&mut recorder),
        }
        recorder.into_verdict()
    }

    fn end_if_stuck(&self, recorder: &mut Recorder) {
        let session = &recorder.session;
        let due = |pending: &PendingApproval| self.now >= pending.asked.expires_at;
        let expired = session.outage_since().is_none() && session.approvals().values().any(due);
        let unheld = *session.status() == Status::InProgress || !owed(session, self.fence).is_empty();
        let waiting = *session.status() == Status::AwaitingInput && !session.waits().is_empty();
        if *session.status() == Status::New || (waiting && !unheld && !expired) {
            return;
        }
        let cause = pack_changed(session, self.loaded).to_string();
        reports::given_up(recorder, &cause);
    }
}
