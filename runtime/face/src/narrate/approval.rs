//! Gates, and the people they ask.

use provost_domain::event::{
    ApprovalAnswered, ApprovalDecided, ApprovalDecision, ApprovalExpired, ApprovalExtended, ApprovalRequested,
    ApprovalStale, GateFired, StaleReason,
};
use provost_domain::gate::GateAction;

use super::detail::Detail;
use super::names::CallNames;
use super::narration::{Level, Narration, Tone};
use super::words::gate_reason;

/// What follows of it, a question or a refusal, has an event of its own.
pub(super) fn gate(e: &GateFired, names: &CallNames) -> Narration {
    let about = e.call.as_ref().map_or_else(|| "the route".into(), |call| names.shown(call));
    let action = match e.action {
        GateAction::Auto => "lets it run",
        GateAction::Notify => "lets it run and notes it",
        GateAction::Approve => "asks a person",
        GateAction::Deny => "denies it",
    };
    Narration::new(Level::Minor, Tone::Ask, "◫", "The gate on")
        .name(about.as_str())
        .text(format!("{action}: {}", gate_reason(e.reason)))
}

pub(super) fn requested(e: &ApprovalRequested) -> Narration {
    let lead =
        if e.min > 1 { format!("{} people are asked to approve", e.min) } else { "Approval needed for".to_owned() };
    let anew = e.replaces.as_ref().map_or_else(String::new, |replaced| format!(", asked anew in place of {replaced}"));
    Narration::new(Level::Call, Tone::Ask, "●", lead)
        .name(e.tool.as_str())
        .text(format!("because {} (approval {}{anew})", gate_reason(e.reason), e.approval))
        .key(Detail::value("arguments", &e.args))
}

pub(super) fn answered(e: &ApprovalAnswered) -> Narration {
    reasoned(Narration::new(Level::Call, Tone::Ask, "◐", "One approval").by(&e.by), e.reason.as_deref())
}

pub(super) fn decided(e: &ApprovalDecided, names: &CallNames) -> Narration {
    let (tone, glyph, lead) = match &e.decision {
        ApprovalDecision::Approved => (Tone::Good, "✓", "Approved"),
        ApprovalDecision::Edited { .. } => (Tone::Good, "✓", "Approved with other arguments"),
        ApprovalDecision::Rejected { .. } => (Tone::Warn, "✕", "Rejected"),
        ApprovalDecision::Responded { .. } => (Tone::Calm, "✎", "Answered instead of running"),
        ApprovalDecision::Cancelled => (Tone::Calm, "⊘", "Cancelled because the session ended first:"),
    };
    let narration = Narration::new(Level::Call, tone, glyph, lead).name(names.shown(&e.call).as_str()).by(&e.by);
    let narration = match &e.decision {
        ApprovalDecision::Edited { args, .. } => narration.key(Detail::value("arguments", args)),
        ApprovalDecision::Rejected { reason } => narration.key(Detail::passage("reason", reason)),
        ApprovalDecision::Responded { text } => narration.key(Detail::passage("answer", text)),
        ApprovalDecision::Approved | ApprovalDecision::Cancelled => narration,
    };
    reasoned(narration, e.reason.as_deref())
}

fn reasoned(narration: Narration, reason: Option<&str>) -> Narration {
    match reason {
        Some(reason) => narration.key(Detail::passage("reason", reason)),
        None => narration,
    }
}

pub(super) fn stale(e: &ApprovalStale, names: &CallNames) -> Narration {
    let why = match e.why {
        StaleReason::Acted { session, at } => format!("session {session} acted on its target ({at})"),
        StaleReason::Resolved { at } => format!("the alert is over since {at}"),
    };
    Narration::new(Level::Call, Tone::Warn, "↺", "What was approved has changed:")
        .name(names.shown(&e.call).as_str())
        .text(format!("{why}; approval {} counts no more", e.approval))
}

pub(super) fn extended(e: &ApprovalExtended, names: &CallNames) -> Narration {
    Narration::new(Level::Call, Tone::Calm, "⏱", "More time to answer:")
        .name(names.shown(&e.call).as_str())
        .text(format!("the wait for a server does not count; it expires at {}", e.expires_at))
}

pub(super) fn expired(e: &ApprovalExpired, names: &CallNames) -> Narration {
    Narration::new(Level::Call, Tone::Warn, "⊘", "Nobody answered in time, so it does not run:")
        .name(names.shown(&e.call).as_str())
}
