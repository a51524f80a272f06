//! Agents, and the operators they ask.

use provost_domain::event::{
    AgentFailed, AgentFinished, AssignmentIssued, AssignmentRedispatched, ConfidenceEmitted, MeasureRead,
    OperatorAsked, OperatorSpoke, RouteDecided, WatchPolled,
};
use provost_domain::pack::RouteTo;
use provost_domain::work::ReadingTime;
use serde_json::json;

use super::detail::Detail;
use super::narration::{Level, Narration, Tone};
use super::words::word;

pub(super) fn issued(e: &AssignmentIssued) -> Narration {
    Narration::new(Level::Agent, Tone::Busy, "▸", "")
        .name(e.agent.as_str())
        .text(format!("takes over as {} (assignment {})", e.role.as_str(), e.assignment))
        .detail(Detail::passage("briefing", &e.briefing))
}

pub(super) fn redispatched(e: &AssignmentRedispatched) -> Narration {
    Narration::new(Level::Agent, Tone::Warn, "↻", "Assigned again:").text(&e.cause)
}

pub(super) fn finished(e: &AgentFinished) -> Narration {
    let envelope = &e.envelope;
    let signal = envelope.signal.as_ref().map(|signal| format!(", signal {signal}")).unwrap_or_default();
    let narration = Narration::new(Level::Agent, Tone::Good, "◂", "")
        .name(e.agent.as_str())
        .text(format!("reports with confidence {:.2}{signal}", envelope.confidence))
        .key(Detail::passage("report", &envelope.content))
        .detail(Detail::passage("rationale", &envelope.rationale));
    if e.evidence.is_empty() { narration } else { narration.detail(Detail::evidence(&e.evidence)) }
}

pub(super) fn failed(e: &AgentFailed) -> Narration {
    Narration::new(Level::Agent, Tone::Bad, "✕", "").name(e.agent.as_str()).text(format!("failed: {}", e.failure))
}

pub(super) fn confidence(e: &ConfidenceEmitted) -> Narration {
    Narration::new(Level::Minor, Tone::Calm, "·", format!("Confidence {:.2}", e.confidence))
        .text(format!("from {}", word(&json!(e.source))))
}

pub(super) fn route(e: &RouteDecided) -> Narration {
    let to = match &e.to {
        RouteTo::Agent(agent) => agent.to_string(),
        RouteTo::End => "the end".to_owned(),
        RouteTo::Operator => "an operator".to_owned(),
    };
    let how = if e.matched { "" } else { " (no route names it: the default)" };
    let route = Narration::new(Level::Minor, Tone::Calm, "·", "Route from")
        .name(e.from.as_str())
        .text(format!("by {}{how} to {to}", e.signal));
    e.unclear.iter().fold(route, |route, condition| route.key(Detail::passage("not told", condition)))
}

pub(super) fn operator_asked(e: &OperatorAsked) -> Narration {
    let why = e.threshold.map(|below| format!("confidence {:.2} is below {below:.2}", e.confidence));
    Narration::new(Level::Agent, Tone::Ask, "●", "An operator is asked")
        .text(why.unwrap_or_else(|| format!("by {}", e.from)))
        .key(Detail::passage("summary", &e.summary))
}

pub(super) fn operator_spoke(e: &OperatorSpoke) -> Narration {
    Narration::new(Level::Agent, Tone::Ask, "●", "An operator answered")
        .by(&e.by)
        .key(Detail::passage("words", &e.text))
}

pub(super) fn measure_read(e: &MeasureRead) -> Narration {
    let of = match e.time {
        ReadingTime::Now => "",
        ReadingTime::Before => " before the last change",
        ReadingTime::Baseline => " before the trouble",
    };
    match e.value {
        Some(value) => {
            Narration::new(Level::Call, Tone::Calm, "·", "Measured").text(format!("{}{of}: {value}", e.measure))
        }
        None => Narration::new(Level::Call, Tone::Warn, "?", "Could not measure").text(format!("{}{of}", e.measure)),
    }
}

pub(super) fn polled(e: &WatchPolled) -> Narration {
    let (tone, glyph, lead) = match e.met {
        Some(true) => (Tone::Good, "✓", "Condition met"),
        Some(false) => (Tone::Calm, "–", "Condition not met"),
        None => (Tone::Warn, "?", "Condition could not be read"),
    };
    Narration::new(Level::Call, tone, glyph, lead).text(format!("{} in a row", e.streak))
}
