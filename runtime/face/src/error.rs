//! Why an operation was not done: one form for every face.

use provost_domain::fields::InvalidFields;
use provost_domain::log::Tombstone;
use provost_domain::port::StoreError;
use provost_domain::refusal::Refusal;
use provost_engine::{EngineError, ReadError, SessionBusy};
use provost_mail::{BadDelivery, DeliveryError};
use serde_json::{Map, Value, json};

use crate::code::Code;

/// Why an operation was not done, and what to do next. `Display` is the detail.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{detail}")]
pub struct OperationError {
    code: Code,
    detail: String,
    members: Map<String, Value>,
}

impl OperationError {
    /// An error of a code.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), members: Map::new() }
    }

    /// With a member that belongs to the code, for example `holder` of `session_busy`.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// This case, and what to do next.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// What belongs to the code besides.
    pub fn into_parts(self) -> (Code, String, Map<String, Value>) {
        (self.code, self.detail, self.members)
    }
}

impl From<SessionBusy> for OperationError {
    fn from(busy: SessionBusy) -> Self {
        Self::new(Code::SessionBusy, busy.to_string()).with("holder", busy.holder).with("since", busy.since.to_string())
    }
}

impl From<StoreError> for OperationError {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::Missing { .. } => Code::NotFound,
            StoreError::Fenced | StoreError::Stale | StoreError::NotClaimed { .. } => Code::Stale,
            StoreError::Erased { .. } => Code::SessionErased,
            StoreError::Damaged { .. } => Code::StoreDamaged,
            StoreError::Failed { .. } | StoreError::Held { .. } => Code::StoreFailed,
        };
        Self::new(code, error.to_string())
    }
}

impl From<ReadError> for OperationError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => error.into(),
            ReadError::Erased(ref tombstone) => {
                let Tombstone { erased, at } = &**tombstone;
                let gone = Self::new(Code::SessionErased, error.to_string());
                gone.with("by", erased.by.to_string()).with("at", at.to_string()).with("reason", erased.reason.as_str())
            }
            ReadError::Chain(_) | ReadError::Illegal(_) => Self::new(Code::StoreDamaged, error.to_string()),
        }
    }
}

impl From<Refusal> for OperationError {
    fn from(refusal: Refusal) -> Self {
        let error = Self::new(Code::of(&refusal), refusal.to_string());
        match refusal {
            Refusal::StaleVersion { expected, actual } => error.with("expected", expected.0).with("actual", actual.0),
            Refusal::CallRefused { refusal } => error.with("refusal", json!(refusal)),
            Refusal::NotEditable { arguments } => error.with("arguments", arguments),
            Refusal::OutcomeUnsettled { calls } => error.with("calls", json!(calls)),
            Refusal::RetryRejected { reason, .. } => error.with("reason", json!(reason)),
            Refusal::SessionEnded { status, .. } | Refusal::NothingToDo { status, .. } => {
                error.with("session_status", status.as_str())
            }
            Refusal::NotAuthorised { .. }
            | Refusal::ApprovalUnknown { .. }
            | Refusal::ApprovalAlreadyDecided { .. }
            | Refusal::ApproverIsRequester { .. }
            | Refusal::AlreadyApproved { .. }
            | Refusal::TargetBusy { .. }
            | Refusal::NobodyAsked
            | Refusal::NotInDoubt { .. }
            | Refusal::CallUnderWay { .. }
            | Refusal::UnknownTerminalTool { .. }
            | Refusal::CommandUnreadable { .. }
            | Refusal::NotErasable { .. }
            | Refusal::InvalidReason { .. }
            | Refusal::BlankWords { .. }
            | Refusal::PackChanged { .. } => error,
        }
    }
}

impl From<EngineError> for OperationError {
    fn from(error: EngineError) -> Self {
        let detail = error.to_string();
        match error {
            EngineError::Busy(busy) => busy.into(),
            EngineError::SessionCapExceeded { live } => Self::new(Code::SessionCapExceeded, detail).with("live", live),
            EngineError::UnknownPack { known, .. } => Self::new(Code::UnknownPack, detail).with("packs", json!(known)),
            EngineError::InvalidFields(InvalidFields { problems, .. }) => {
                Self::new(Code::InvalidFields, detail).with("problems", problems)
            }
            EngineError::Refused(refusal) => refusal.into(),
            EngineError::Store(error) => error.into(),
            EngineError::Pending => Self::new(Code::Pending, detail),
            EngineError::ShuttingDown => Self::new(Code::ShuttingDown, detail),
        }
    }
}

impl From<DeliveryError> for OperationError {
    fn from(error: DeliveryError) -> Self {
        let detail = error.to_string();
        match error {
            DeliveryError::NotConfigured { .. } => Self::new(Code::NotFound, detail),
            DeliveryError::Unsigned(_) => Self::new(Code::Unauthenticated, detail),
            DeliveryError::Closed => Self::new(Code::ShuttingDown, detail),
            DeliveryError::Bad { reason, delivery } => {
                let code = match reason {
                    BadDelivery::Syntax(_) => Code::InvalidRequest,
                    BadDelivery::Form(_) => Code::InvalidBody,
                    BadDelivery::Fields(_) => Code::InvalidFields,
                };
                let error = Self::new(code, detail);
                match delivery {
                    Some(id) => error.with("delivery", id.as_str()),
                    None => error,
                }
            }
            DeliveryError::Full { .. } => Self::new(Code::Saturated, detail),
            DeliveryError::NotBad { .. } => Self::new(Code::NothingToDo, detail),
            DeliveryError::Store(error) => error.into(),
            DeliveryError::Interrupted { .. } => Self::new(Code::Internal, detail),
        }
    }
}
