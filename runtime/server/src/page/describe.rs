//! Every kind of event in words.

use provost_domain::event::{
    AgentFailed, AgentFinished, ApprovalDecided, ApprovalDecision, ApprovalRequested, AssignmentIssued, CallProbed,
    ClaimRaised, ConfidenceMismatched, EventBody, GateFired, LimitReached, ModelReplied, ModelRequested, OperatorAsked,
    OutcomeSettled, OutcomeUnknown, ProbeFinding, ProbeRequested, RetryStarted, RouteDecided, SessionCreated,
    SessionErased, Settlement, StatusChanged, StopRequested, ToolIntended, ToolReturned, WatchPolled,
};
use provost_domain::gate::GateReason;
use provost_domain::model::Arguments;
use provost_domain::pack::RouteTo;
use provost_domain::tool::{EffectClass, Happened, RecordedOutcome};
use serde_json::{Value, json};

use super::text::number;
use super::timeline::{Level, Teller, Told};

/// One event.
pub(crate) fn describe(teller: &Teller<'_>, body: &EventBody) -> Told {
    let t = *teller;
    match body {
        EventBody::SessionCreated(e) => created(t, e),
        EventBody::SessionStarted(e) => by(t, Told::new(Level::Minor, "calm", "·", "Started"), e.by.as_str()),
        EventBody::AssignmentIssued(e) => issued(t, e),
        EventBody::AssignmentRedispatched(e) => {
            Told::new(Level::Agent, "warn", "↻", "Assigned again").text(t.pieces(&e.cause))
        }
        EventBody::ModelRequested(e) => model_requested(t, e),
        EventBody::ModelReplied(e) => replied(t, e),
        EventBody::ModelFailed(e) => {
            Told::new(Level::Turn, "bad", "✕", "The model failed").text(t.pieces(&e.failure.to_string()))
        }
        EventBody::RepairRequested(e) => Told::new(Level::Turn, "warn", "↻", "Asked the model to mend its reply")
            .part(t.passage("problem", &e.problem)),
        EventBody::ToolIntended(e) => intended(t, e),
        EventBody::ToolReturned(e) => returned(t, e),
        EventBody::ToolRefused(e) => {
            Told::new(Level::Call, "warn", "⊘", "Refused").code(&e.tool).text(t.pieces(&e.refusal.to_string()))
        }
        EventBody::CallReissued(e) => {
            Told::new(Level::Call, "warn", "↻", "Made again under the same key").code(t.tool(&e.call))
        }
        EventBody::ProbeRequested(e) => probe_requested(t, e),
        EventBody::CallProbed(e) => probed(t, e),
        EventBody::GateFired(e) => gate(t, e),
        EventBody::ApprovalRequested(e) => approval_requested(t, e),
        EventBody::ApprovalAnswered(e) => by(t, Told::new(Level::Call, "ask", "◐", "One approval"), e.by.as_str()),
        EventBody::ApprovalDecided(e) => decided(t, e),
        EventBody::ApprovalExpired(e) => {
            Told::new(Level::Call, "warn", "⊘", "Nobody answered in time: not run").code(t.tool(&e.call))
        }
        EventBody::OutcomeUnknown(e) => in_doubt(t, e),
        EventBody::OutcomeSettled(e) => settled(t, e),
        EventBody::ConfidenceEmitted(e) => {
            Told::new(Level::Minor, "calm", "·", format!("Confidence {:.2}", e.confidence))
                .text(t.pieces(&format!("from {}", word(&json!(e.source)))))
        }
        EventBody::ConfidenceMismatched(e) => mismatched(t, e),
        EventBody::RouteDecided(e) => route(t, e),
        EventBody::OperatorAsked(e) => operator_asked(t, e),
        EventBody::OperatorSpoke(e) => {
            by(t, Told::new(Level::Agent, "ask", "●", "An operator answered"), e.by.as_str())
                .part(t.passage("words", &e.text))
        }
        EventBody::AgentFinished(e) => finished(t, e),
        EventBody::AgentFailed(e) => agent_failed(t, e),
        EventBody::StatusChanged(e) => status_changed(t, e),
        EventBody::WatchPolled(e) => polled(t, e),
        EventBody::FieldsPatched(e) => {
            Told::new(Level::Call, "calm", "✎", "Fields patched").part(t.value("patch", &e.patch))
        }
        EventBody::FindingRecorded(e) => {
            Told::new(Level::Call, "good", "◇", "Finding").code(e.tool.as_str()).part(t.value("finding", &e.finding))
        }
        EventBody::ClaimRaised(e) => claimed(t, e),
        EventBody::ClaimRefused(e) => Told::new(Level::Call, "warn", "⊘", "Claim refused")
            .code(e.tool.as_str())
            .text(t.pieces(&e.refusal.to_string())),
        EventBody::SignalReceived(e) => {
            Told::new(Level::Session, "busy", "⇣", "Signal from").code(&e.source).part(t.value("payload", &e.payload))
        }
        EventBody::LimitReached(e) => limit(t, e),
        EventBody::StopRequested(e) => stop_requested(t, e),
        EventBody::RetryStarted(e) => retried(t, e),
        EventBody::SessionErased(e) => erased(t, e),
    }
}

fn erased(t: Teller<'_>, e: &SessionErased) -> Told {
    Told::new(Level::Session, "bad", "⌫", "Erased").text(t.pieces(&format!("by {}: {}", e.by, e.reason)))
}

/// A wire word for reading.
pub(crate) fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |word| word.replace('_', " "))
}

/// Why a gate asks, in words.
pub(crate) fn reason(reason: GateReason) -> &'static str {
    match reason {
        GateReason::HighRiskTool => "this tool is high risk",
        GateReason::GatedEnvironment => "the environment is gated for this tool",
        GateReason::LowConfidence => "the agent's confidence is too low to act alone",
        GateReason::AgentGate => "the agent's route asks for a person",
        GateReason::PolicyDenied => "the policy denies it",
        GateReason::Auto => "nothing asks for a person",
    }
}

/// What a repetition of a call would mean, in words.
pub(crate) fn effect(effect: EffectClass) -> &'static str {
    match effect {
        EffectClass::Read => "reads only",
        EffectClass::Idempotent => "changes something; safe to repeat",
        EffectClass::Probe => "changes something; its tool is asked before it is repeated",
        EffectClass::Unsafe => "changes something; never repeated by itself",
    }
}

fn by(t: Teller<'_>, told: Told, who: &str) -> Told {
    told.text(t.pieces(&format!("by {who}")))
}

fn created(t: Teller<'_>, e: &SessionCreated) -> Told {
    let text = format!("from pack {} version {} by {}", e.pack, e.pack_version, e.by);
    Told::new(Level::Session, "calm", "○", "Opened").text(t.pieces(&text)).part(t.value("fields", &e.fields))
}

fn issued(t: Teller<'_>, e: &AssignmentIssued) -> Told {
    let text = format!("takes over as {} (assignment {})", e.role.as_str(), e.assignment);
    Told::new(Level::Agent, "busy", "▸", "")
        .code(e.agent.as_str())
        .text(t.pieces(&text))
        .part(t.passage("briefing", &e.briefing))
}

fn model_requested(t: Teller<'_>, e: &ModelRequested) -> Told {
    let text = format!("{} tokens reserved", number(e.reserved));
    Told::new(Level::Minor, "calm", "·", format!("Round {}: asks the model", e.round)).text(t.pieces(&text))
}

fn replied(t: Teller<'_>, e: &ModelReplied) -> Told {
    let usage = e.reply.usage;
    let tokens = format!("{} tokens in, {} out", number(usage.input + usage.cached), number(usage.output));
    let mut told = Told::new(Level::Turn, "calm", "↳", format!("Round {}", e.round)).text(t.pieces(&tokens));
    if !e.reply.text.is_empty() {
        told = told.part(t.passage("says", &e.reply.text));
    }
    for call in &e.reply.calls {
        let args = match &*call.args {
            Arguments::Json(value) => value.clone(),
            Arguments::Broken(text) => Value::String(text.clone()),
        };
        told = told.part(t.value("asks for", &json!({ &call.tool: args })));
    }
    if e.reply.dropped_calls > 0 {
        told = told.part(t.passage("dropped", &format!("{} calls too many", e.reply.dropped_calls)));
    }
    told
}

fn intended(t: Teller<'_>, e: &ToolIntended) -> Told {
    let injected =
        if e.injected.is_empty() { String::new() } else { format!("; set by the session: {}", e.injected.join(", ")) };
    let text = format!("{}{injected}", effect(e.effect));
    let mut told = Told::new(Level::Call, "busy", "→", "Calls").code(e.tool.as_str()).text(t.pieces(&text));
    told = told.part(t.value("arguments", &e.args));
    if !e.overridden.is_empty() {
        told = told.part(t.value("the model had written", &json!(e.overridden)));
    }
    if !e.dropped.is_empty() {
        told = told.part(t.passage("dropped arguments", &e.dropped.join(", ")));
    }
    told
}

fn returned(t: Teller<'_>, e: &ToolReturned) -> Told {
    let say = |tone, sign, lead: &str| Told::new(Level::Call, tone, sign, lead).code(t.tool(&e.call));
    match &e.outcome {
        RecordedOutcome::Ok { content } => say("good", "←", "Returned").part(t.blob("result", content)),
        RecordedOutcome::Empty { note } => say("calm", "∅", "Found nothing").text(t.pieces(note)),
        RecordedOutcome::Truncated { content, total_bytes } => say("warn", "←", "Returned, cut")
            .text(t.pieces(&format!("{} bytes before the cut", number(*total_bytes))))
            .part(t.blob("result", content)),
        RecordedOutcome::Failed { failure } => {
            let lead = match failure.happened {
                Happened::No => "Failed; it did not happen",
                Happened::Maybe => "Failed; it may have happened",
            };
            let mut told = say("bad", "✕", lead).part(t.passage("detail", &failure.detail));
            if let Some(exit) = failure.exit {
                told = told.part(t.passage("exit code", &exit.to_string()));
            }
            told
        }
    }
}

fn gate(t: Teller<'_>, e: &GateFired) -> Told {
    let about = e.call.as_ref().map_or_else(|| "the route".to_owned(), |call| t.tool(call));
    let text = format!("{}: {}", word(&json!(e.action)), reason(e.reason));
    Told::new(Level::Call, "ask", "◫", "Gate on").code(about).text(t.pieces(&text))
}

fn approval_requested(t: Teller<'_>, e: &ApprovalRequested) -> Told {
    let who = if e.min > 1 { format!("{} people are asked", e.min) } else { "A person is asked".to_owned() };
    Told::new(Level::Call, "ask", "●", who)
        .code(e.tool.as_str())
        .text(t.pieces(&format!("because {}", reason(e.reason))))
        .part(t.value("arguments", &e.args))
}

fn decided(t: Teller<'_>, e: &ApprovalDecided) -> Told {
    let (tone, sign, lead) = match &e.decision {
        ApprovalDecision::Approved => ("good", "✓", "Approved"),
        ApprovalDecision::Edited { .. } => ("good", "✓", "Approved with other arguments"),
        ApprovalDecision::Rejected { .. } => ("warn", "✕", "Rejected"),
        ApprovalDecision::Responded { .. } => ("calm", "✎", "Answered instead of running"),
        ApprovalDecision::Cancelled => ("calm", "⊘", "Cancelled: the session ended first"),
    };
    let told = by(t, Told::new(Level::Call, tone, sign, lead).code(t.tool(&e.call)), e.by.as_str());
    match &e.decision {
        ApprovalDecision::Edited { args, .. } => told.part(t.value("arguments", args)),
        ApprovalDecision::Rejected { reason } => told.part(t.passage("reason", reason)),
        ApprovalDecision::Responded { text } => told.part(t.passage("answer", text)),
        ApprovalDecision::Approved | ApprovalDecision::Cancelled => told,
    }
}

fn in_doubt(t: Teller<'_>, e: &OutcomeUnknown) -> Told {
    let lead = "Nobody knows whether this happened";
    Told::new(Level::Call, "bad", "?", lead).code(t.tool(&e.call)).text(t.pieces(&e.cause))
}

fn probe_requested(t: Teller<'_>, e: &ProbeRequested) -> Told {
    Told::new(Level::Call, "warn", "?", "Asks the tool whether this happened")
        .code(t.tool(&e.call))
        .text(t.pieces(&e.cause))
}

fn probed(t: Teller<'_>, e: &CallProbed) -> Told {
    let (tone, sign, lead, detail) = match &e.finding {
        ProbeFinding::Happened => ("good", "✓", "The tool says: it happened", ""),
        ProbeFinding::DidNotHappen => ("calm", "○", "The tool says: it did not happen", ""),
        ProbeFinding::CannotTell { detail } => ("warn", "?", "The tool cannot tell", detail.as_str()),
    };
    Told::new(Level::Call, tone, sign, lead).code(t.tool(&e.call)).text(t.pieces(detail))
}

fn agent_failed(t: Teller<'_>, e: &AgentFailed) -> Told {
    Told::new(Level::Agent, "bad", "✕", "Failed").code(e.agent.as_str()).text(t.pieces(&e.failure.to_string()))
}

fn claimed(t: Teller<'_>, e: &ClaimRaised) -> Told {
    let told = Told::new(Level::Call, "calm", "⚑", "Claims").code(e.tool.as_str());
    by(t, told.part(t.value("arguments", &e.args)), e.by.as_str())
}

fn stop_requested(t: Teller<'_>, e: &StopRequested) -> Told {
    let told = Told::new(Level::Session, "warn", "■", "Stop requested").part(t.passage("reason", &e.reason));
    by(t, told, e.by.as_str())
}

fn retried(t: Teller<'_>, e: &RetryStarted) -> Told {
    let lead = format!("Retry {}: {}", e.count, word(&json!(e.reason)));
    by(t, Told::new(Level::Session, "busy", "↻", lead), e.by.as_str())
}

fn settled(t: Teller<'_>, e: &OutcomeSettled) -> Told {
    let (lead, note) = match &e.settlement {
        Settlement::Happened { note } => ("Settled: it happened", note),
        Settlement::DidNotHappen { note } => ("Settled: it did not happen", note),
        Settlement::GiveUp { note } => ("Settled: nobody will find out", note),
    };
    let told = by(t, Told::new(Level::Call, "calm", "✎", lead).code(t.tool(&e.call)), e.by.as_str());
    if note.is_empty() { told } else { told.part(t.passage("note", note)) }
}

fn mismatched(t: Teller<'_>, e: &ConfidenceMismatched) -> Told {
    let text = format!("{:.2} in the call, {:.2} in the report; the call's counts", e.argument, e.envelope);
    Told::new(Level::Call, "warn", "≠", "Two confidences").text(t.pieces(&text))
}

fn route(t: Teller<'_>, e: &RouteDecided) -> Told {
    let to = match &e.to {
        RouteTo::Agent(agent) => agent.to_string(),
        RouteTo::End => "the end".to_owned(),
        RouteTo::Operator => "an operator".to_owned(),
    };
    let how = if e.matched { "" } else { " (no route names it: the default)" };
    Told::new(Level::Minor, "calm", "·", "Route").text(t.pieces(&format!("{}: {}{how} → {to}", e.from, e.signal)))
}

fn operator_asked(t: Teller<'_>, e: &OperatorAsked) -> Told {
    let why = e.threshold.map(|below| format!("confidence {:.2} is below {below:.2}", e.confidence));
    Told::new(Level::Agent, "ask", "●", "An operator is asked")
        .text(t.pieces(&why.unwrap_or_else(|| format!("by {}", e.from))))
        .part(t.passage("summary", &e.summary))
}

fn finished(t: Teller<'_>, e: &AgentFinished) -> Told {
    let envelope = &e.envelope;
    let signal = envelope.signal.as_ref().map(|signal| format!(", signal {signal}")).unwrap_or_default();
    let told = Told::new(Level::Agent, "good", "◂", "")
        .code(e.agent.as_str())
        .text(t.pieces(&format!("reports with confidence {:.2}{signal}", envelope.confidence)))
        .part(t.passage("report", &envelope.content))
        .part(t.passage("rationale", &envelope.rationale));
    if e.evidence.is_empty() {
        return told;
    }
    let evidence = super::timeline::Part {
        label: "evidence",
        preview: String::new(),
        text: Some(t.evidence(&e.evidence)),
        href: None,
    };
    told.part(evidence)
}

fn status_changed(t: Teller<'_>, e: &StatusChanged) -> Told {
    let to = super::status::status(e.to_status().as_str(), None);
    Told::new(Level::Session, to.tone, to.sign, "Status").code(to.text).text(t.pieces(&format!(
        "{} · by {}",
        e.reason(),
        e.by()
    )))
}

fn polled(t: Teller<'_>, e: &WatchPolled) -> Told {
    let (tone, sign, lead) = match e.met {
        Some(true) => ("good", "✓", "Condition met"),
        Some(false) => ("calm", "–", "Condition not met"),
        None => ("warn", "?", "Could not be read"),
    };
    Told::new(Level::Call, tone, sign, lead).text(t.pieces(&format!("{} in a row", e.streak)))
}

fn limit(t: Teller<'_>, e: &LimitReached) -> Told {
    let text = format!("{}, bound {}", word(&json!(e.limit)), number(e.bound));
    Told::new(Level::Session, "warn", "▲", "Limit reached").text(t.pieces(&text))
}
