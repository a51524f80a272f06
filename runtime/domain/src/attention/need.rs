//! What a session needs of people.

use std::time::Duration;

use crate::session::Session;
use crate::status::Status;
use crate::time::Timestamp;
use crate::word::closed_list;

closed_list! {
    /// The kinds of needs.
    #[derive(PartialOrd, Ord)]
    NeedKind {
        /// A call waits for an answer.
        Approval = "an approval is needed",
        /// An operator's words are waited for.
        Question = "a question waits for an answer",
        /// Nobody knows whether a call happened.
        UnknownOutcome = "a call may or may not have happened",
        /// The run ended without an outcome.
        NeedsReview = "a person must look at it",
        /// An agent failed, and the run ended with it.
        Error = "it failed",
        /// A server that fails is waited for longer than people want to wait without knowing.
        Outage = "it waits for a server that fails",
        /// The session is over for good: told once, and nothing is waited for.
        Closed = "it is closed",
    }
}

/// Names a need of one session: the same as long as the same thing is waited for.
pub type NeedId = String;

/// One thing that a session needs of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// Names it within its session.
    pub id: NeedId,
    /// Which kind of need it is: rules are for kinds.
    pub kind: NeedKind,
    /// Since when; `None` where the session does not know it: then since it was first seen.
    pub since: Option<Timestamp>,
    /// When people are told at the earliest.
    pub from: Timestamp,
    /// When it is too late for an answer.
    pub until: Option<Timestamp>,
}

impl Session {
    /// What it needs of people as it stands. An outage is a need once it lasts for `patience`; it is listed before, with the
    /// time from which on it is one.
    pub fn needs(&self, patience: Duration) -> Vec<Need> {
        let now = Timestamp::default();
        let need = |id: String, kind, since| Need { id, kind, since, from: since.unwrap_or(now), until: None };
        let mut needs: Vec<Need> = self
            .approvals()
            .values()
            .map(|pending| Need {
                until: Some(pending.asked.expires_at),
                ..need(format!("approval:{}", pending.asked.approval), NeedKind::Approval, Some(pending.at))
            })
            .collect();
        needs.extend(self.operator().map(|_| {
            // One assignment leads to one question.
            need(format!("question:{}", self.last_assignment()), NeedKind::Question, None)
        }));
        let unknown = self.unknown().keys();
        needs.extend(unknown.map(|call| need(format!("unknown:{call}"), NeedKind::UnknownOutcome, None)));
        let at = self.status_at();
        match self.status() {
            Status::NeedsReview => needs.push(need(format!("review:{}", at.micros()), NeedKind::NeedsReview, Some(at))),
            Status::Error => needs.push(need(format!("error:{}", at.micros()), NeedKind::Error, Some(at))),
            Status::Outcome(_) | Status::Stopped => needs.push(need("closed".to_owned(), NeedKind::Closed, Some(at))),
            Status::New | Status::InProgress | Status::AwaitingInput => {}
        }
        needs.extend(self.outage_since().map(|since| Need {
            from: since.plus(patience),
            ..need(format!("outage:{}", since.micros()), NeedKind::Outage, Some(since))
        }));
        needs
    }
}
