//! What a plan says, as it is stored before any of it is done.

use provost_domain::ids::{CmdId, PackName, SessionId};
use provost_domain::origin::CaseOrigin;
use provost_domain::port::Mark;
use provost_domain::principal::Principal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Alerts listed in full in one signal, and in the session of many targets; more are only counted.
pub(super) const LISTED_MAX: usize = 20;

/// A session to open. Its fields are checked when that is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PlannedSession {
    pub(super) session: SessionId,
    /// Its pack; absent for the first that takes deliveries of the format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) pack: Option<PackName>,
    pub(super) title: String,
    pub(super) fields: Value,
    /// What else was said of the case; absent in plans stored before that was noted.
    #[serde(default)]
    pub(super) origin: CaseOrigin,
    pub(super) parent: Option<SessionId>,
    /// Whether required fields may be missing.
    #[serde(default)]
    pub(super) partial: bool,
}

/// Something to record on a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PlannedSignal {
    pub(super) session: SessionId,
    pub(super) cmd_id: CmdId,
    pub(super) payload: Value,
}

/// A session to try again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PlannedRetry {
    pub(super) session: SessionId,
    pub(super) cmd_id: CmdId,
}

/// A session to stop, since another one of its case takes its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PlannedStop {
    pub(super) session: SessionId,
    pub(super) cmd_id: CmdId,
    pub(super) reason: String,
}

/// All that is to be done, stored before any of it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DeliveryPlan {
    /// The place of the last delivery it is about.
    pub(super) upto: u64,
    /// Who delivered.
    pub(super) by: Principal,
    /// The one session that plans of earlier versions opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) open: Option<PlannedSession>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) stops: Vec<PlannedStop>,
    #[serde(default)]
    pub(super) opens: Vec<PlannedSession>,
    #[serde(rename = "told")]
    pub(super) signals: Vec<PlannedSignal>,
    #[serde(default)]
    pub(super) retries: Vec<PlannedRetry>,
    /// The sessions that nobody works on while their alerts fire, which people are told.
    #[serde(default)]
    pub(super) alarms: Vec<SessionId>,
    /// The session the group went to last.
    pub(super) session: Option<SessionId>,
    pub(super) marks: Vec<Mark>,
    /// The other sessions the deliveries speak of: those that get a signal, and those that got one before about what the
    /// deliveries repeat. Absent in plans stored before this was noted.
    #[serde(default = "Vec::new")]
    pub(super) about: Vec<SessionId>,
    /// What is done, in few words.
    pub(super) note: String,
}

impl DeliveryPlan {
    /// A plan that does nothing: it keeps a place in a group that has no deliveries.
    pub(super) fn place(by: Principal, upto: u64) -> Self {
        Self {
            upto,
            by,
            open: None,
            stops: Vec::new(),
            opens: Vec::new(),
            signals: Vec::new(),
            retries: Vec::new(),
            alarms: Vec::new(),
            session: None,
            marks: Vec::new(),
            about: Vec::new(),
            note: "how far a schedule came".to_owned(),
        }
    }

    /// Whether there is nothing to do besides finishing the deliveries.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_none() && self.opens.is_empty() && self.signals.is_empty() && self.marks.is_empty()
    }
}
