//! What kind of news an event is. Exhaustive, so that somebody decides for each new kind.

use super::kinds::EventBody;

impl EventBody {
    /// Whether it shows that the worker of the open assignment is alive. What others say does not.
    pub(crate) fn is_activity(&self) -> bool {
        match self {
            Self::ApprovalAnswered(_) | Self::SignalReceived(_) => false,
            Self::StatusChanged(_)
            | Self::SessionCreated(_)
            | Self::SessionStarted(_)
            | Self::AssignmentIssued(_)
            | Self::AssignmentRedispatched(_)
            | Self::ModelRequested(_)
            | Self::ModelReplied(_)
            | Self::ModelFailed(_)
            | Self::RepairRequested(_)
            | Self::ToolIntended(_)
            | Self::ToolReturned(_)
            | Self::ToolRefused(_)
            | Self::CallReissued(_)
            | Self::ProbeRequested(_)
            | Self::CallProbed(_)
            | Self::GateFired(_)
            | Self::ApprovalRequested(_)
            | Self::ApprovalDecided(_)
            | Self::ApprovalExpired(_)
            | Self::OutcomeUnknown(_)
            | Self::OutcomeSettled(_)
            | Self::ConfidenceEmitted(_)
            | Self::ConfidenceMismatched(_)
            | Self::RouteDecided(_)
            | Self::OperatorAsked(_)
            | Self::OperatorSpoke(_)
            | Self::AgentFinished(_)
            | Self::AgentFailed(_)
            | Self::WatchPolled(_)
            | Self::FieldsPatched(_)
            | Self::FindingRecorded(_)
            | Self::ClaimRaised(_)
            | Self::ClaimRefused(_)
            | Self::LimitReached(_)
            | Self::StopRequested(_)
            | Self::RetryStarted(_)
            | Self::SessionErased(_) => true,
        }
    }

    /// Whether it is more than starting the same work again, which a session that ends its processes does for ever.
    pub fn is_progress(&self) -> bool {
        match self {
            Self::StatusChanged(_)
            | Self::AssignmentRedispatched(_)
            | Self::CallReissued(_)
            | Self::ProbeRequested(_) => false,
            Self::SessionCreated(_)
            | Self::SessionStarted(_)
            | Self::AssignmentIssued(_)
            | Self::ModelRequested(_)
            | Self::ModelReplied(_)
            | Self::ModelFailed(_)
            | Self::RepairRequested(_)
            | Self::ToolIntended(_)
            | Self::ToolReturned(_)
            | Self::ToolRefused(_)
            | Self::CallProbed(_)
            | Self::GateFired(_)
            | Self::ApprovalRequested(_)
            | Self::ApprovalAnswered(_)
            | Self::ApprovalDecided(_)
            | Self::ApprovalExpired(_)
            | Self::OutcomeUnknown(_)
            | Self::OutcomeSettled(_)
            | Self::ConfidenceEmitted(_)
            | Self::ConfidenceMismatched(_)
            | Self::RouteDecided(_)
            | Self::OperatorAsked(_)
            | Self::OperatorSpoke(_)
            | Self::AgentFinished(_)
            | Self::AgentFailed(_)
            | Self::WatchPolled(_)
            | Self::FieldsPatched(_)
            | Self::FindingRecorded(_)
            | Self::ClaimRaised(_)
            | Self::ClaimRefused(_)
            | Self::SignalReceived(_)
            | Self::LimitReached(_)
            | Self::StopRequested(_)
            | Self::RetryStarted(_)
            | Self::SessionErased(_) => true,
        }
    }
}
