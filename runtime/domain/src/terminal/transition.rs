//! Status transitions. Only the runtime's own transitions and a verified claim can build one; nothing outside `terminal` can.

use serde::{Deserialize, Serialize};

use crate::principal::Principal;
use crate::status::Status;

/// The status moved. Its fields are private and it has no public constructor and no `Deserialize`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StatusChanged {
    from: Status,
    to: Status,
    reason: String,
    by: Principal,
}

/// The form a stored transition is read from; only a verified chain leads here.
#[derive(Deserialize)]
pub(crate) struct StatusChangedForm {
    from: Status,
    to: Status,
    reason: String,
    by: Principal,
}

impl From<StatusChangedForm> for StatusChanged {
    fn from(form: StatusChangedForm) -> Self {
        Self { from: form.from, to: form.to, reason: form.reason, by: form.by }
    }
}

impl StatusChanged {
    /// Where it was.
    pub fn from_status(&self) -> &Status {
        &self.from
    }

    /// Where it is.
    pub fn to_status(&self) -> &Status {
        &self.to
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Who moved it.
    pub fn by(&self) -> &Principal {
        &self.by
    }

    /// The transition a verified claim leads to: the only way to a pack's outcome.
    pub(super) fn verified(from: &Status, outcome: &str, reason: String, by: Principal) -> Self {
        Self { from: from.clone(), to: Status::Outcome(outcome.to_owned()), reason, by }
    }

    /// A transition of the runtime's own: never to an outcome.
    pub(crate) fn framework(from: &Status, to: FrameworkStatus, reason: String, by: Principal) -> Self {
        Self { from: from.clone(), to: to.status(), reason, by }
    }
}

/// The statuses the runtime sets by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FrameworkStatus {
    InProgress,
    AwaitingInput,
    NeedsReview,
    Error,
    Stopped,
}

impl FrameworkStatus {
    pub(crate) fn status(self) -> Status {
        match self {
            Self::InProgress => Status::InProgress,
            Self::AwaitingInput => Status::AwaitingInput,
            Self::NeedsReview => Status::NeedsReview,
            Self::Error => Status::Error,
            Self::Stopped => Status::Stopped,
        }
    }
}
