//! A session whose pack is not loaded as it was pinned: no other pack's rules decide for it. It can be stopped, settled
//! and told things; work it owes ends as `error`, never unseen.

use super::draft::Recorder;
use super::{Verdict, report, settle, stop};
use crate::command::{Ask, Command, Report};
use crate::event::SignalReceived;
use crate::ids::Fence;
use crate::refusal::Refusal;
use crate::session::{Session, owed};
use crate::status::Status;
use crate::time::Timestamp;

/// What stands for the loaded pack's digest where none is loaded.
pub const NOT_LOADED: &str = "nothing";

pub(super) fn pack_changed(session: &Session, loaded: &str) -> Refusal {
    let (pack, pinned) = (session.pack().to_owned(), session.pack_digest().hex());
    Refusal::PackChanged { pack, pinned, loaded: loaded.to_owned() }
}

/// What is known when the pack is not.
#[derive(Debug, Clone, Copy)]
pub struct Unserved<'a> {
    /// The present.
    pub now: Timestamp,
    /// The fence the session is held under.
    pub fence: Fence,
    /// What is loaded in the pinned pack's place: its digest, or [`NOT_LOADED`].
    pub loaded: &'a str,
}

impl Unserved<'_> {
    /// Decides a command from outside.
    ///
    /// # Errors
    /// Everything that a pack would have to decide is refused as [`Refusal::PackChanged`].
    pub fn command(&self, session: &Session, command: &Command) -> Result<Verdict, Refusal> {
        super::check_version(session, command)?;
        let mut recorder = Recorder::new(session, self.now, self.fence);
        match &command.ask {
            Ask::Stop { reason } => stop::decide(&mut recorder, &command.by, reason)?,
            Ask::Settle { call, settlement } => settle::decide(&mut recorder, &command.by, call, settlement)?,
            Ask::Signal { source, payload } => {
                recorder.push(SignalReceived { source: source.clone(), payload: payload.clone().into() });
            }
            Ask::Start
            | Ask::Continue
            | Ask::Retry { .. }
            | Ask::Answer { .. }
            | Ask::Speak { .. }
            | Ask::Claim { .. } => {
                return Err(pack_changed(session, self.loaded));
            }
        }
        self.end_if_stuck(&mut recorder);
        Ok(recorder.into_verdict())
    }

    /// Decides on what the session's own side reports: work that is owed cannot be done.
    pub fn report(&self, session: &Session, report: &Report) -> Verdict {
        let mut recorder = Recorder::new(session, self.now, self.fence);
        match report {
            Report::GivenUp { cause } => report::given_up(&mut recorder, cause),
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
        let expired = session.approvals().values().any(|pending| self.now >= pending.asked.expires_at);
        let unheld = *session.status() == Status::InProgress || !owed(session, self.fence).is_empty();
        let waiting = *session.status() == Status::AwaitingInput && !session.waits().is_empty();
        if *session.status() == Status::New || (waiting && !unheld && !expired) {
            return;
        }
        let cause = pack_changed(session, self.loaded).to_string();
        report::given_up(recorder, &cause);
    }
}
