//! The exhaustive match over the kinds of events: a new kind does not compile until it has words.

use provost_domain::event::EventBody;

use super::names::CallNames;
use super::narration::Narration;
use super::{agent, approval, call, claim, doubt, model, session};

/// An event in words. `names` has learnt from the events before it which tool each call uses.
pub fn narrate(body: &EventBody, names: &CallNames) -> Narration {
    match body {
        EventBody::SessionCreated(e) => session::created(e),
        EventBody::CatalogueChanged(e) => session::catalogue_changed(e),
        EventBody::SessionStarted(e) => session::started(e),
        EventBody::SignalReceived(e) => session::signal(e),
        EventBody::NoteAdded(e) => session::note(e),
        EventBody::CaseAcknowledged(e) => session::acknowledged(e),
        EventBody::LimitReached(e) => session::limit(e),
        EventBody::StopRequested(e) => session::stop_requested(e),
        EventBody::RetryStarted(e) => session::retried(e),
        EventBody::StatusChanged(e) => session::status_changed(e),
        EventBody::SessionErased(e) => session::erased(e),
        EventBody::AssignmentIssued(e) => agent::issued(e),
        EventBody::AssignmentRedispatched(e) => agent::redispatched(e),
        EventBody::AgentFinished(e) => agent::finished(e),
        EventBody::AgentFailed(e) => agent::failed(e),
        EventBody::ConfidenceEmitted(e) => agent::confidence(e),
        EventBody::RouteDecided(e) => agent::route(e),
        EventBody::OperatorAsked(e) => agent::operator_asked(e),
        EventBody::OperatorSpoke(e) => agent::operator_spoke(e),
        EventBody::MeasureRead(e) => agent::measure_read(e),
        EventBody::WatchPolled(e) => agent::polled(e),
        EventBody::ModelRequested(e) => model::requested(e),
        EventBody::ModelReplied(e) => model::replied(e),
        EventBody::ModelDeferred(e) => model::deferred(e),
        EventBody::ModelFailed(e) => model::failed(e),
        EventBody::RepairRequested(e) => model::repair_requested(e),
        EventBody::ToolIntended(e) => call::intended(e),
        EventBody::ToolReturned(e) => call::returned(e, names),
        EventBody::ToolDeferred(e) => call::deferred(e, names),
        EventBody::ToolRefused(e) => call::refused(e),
        EventBody::CallReissued(e) => call::reissued(e, names),
        EventBody::FieldsPatched(e) => call::patched(e),
        EventBody::FindingRecorded(e) => call::finding(e),
        EventBody::GateFired(e) => approval::gate(e, names),
        EventBody::ApprovalRequested(e) => approval::requested(e),
        EventBody::ApprovalAnswered(e) => approval::answered(e),
        EventBody::ApprovalDecided(e) => approval::decided(e, names),
        EventBody::ApprovalExpired(e) => approval::expired(e, names),
        EventBody::ApprovalExtended(e) => approval::extended(e, names),
        EventBody::ApprovalStale(e) => approval::stale(e, names),
        EventBody::ProbeRequested(e) => doubt::probe_requested(e, names),
        EventBody::CallProbed(e) => doubt::probed(e, names),
        EventBody::OutcomeUnknown(e) => doubt::unknown(e, names),
        EventBody::OutcomeSettled(e) => doubt::settled(e, names),
        EventBody::ClaimRaised(e) => claim::raised(e),
        EventBody::ClaimRefused(e) => claim::refused(e),
        EventBody::ConfidenceMismatched(e) => claim::confidence_mismatched(e),
    }
}
