//! What a message says of each thing that a session needs.

use provost_domain::attention::{NeedKind, NoticeAsk, NoticeFact, plain};
use provost_domain::event::ApprovalRequested;
use provost_domain::gate::GateReason;
use provost_domain::principal::Principal;
use provost_domain::session::{DeferredBy, PendingApproval, Session};
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_domain::tool::{Catalog, EffectClass};
use serde_json::Value;

/// Most arguments of a call that are shown; the page shows all.
const ARGUMENTS_MAX: usize = 12;
/// Longest value.
pub(super) const VALUE_MAX: usize = 300;
/// Longest sentence of somebody else.
pub(super) const WORDS_MAX: usize = 600;

/// Everything the session needs at this time, the most pressing first.
pub(super) fn asks(session: &Session, catalog: &Catalog, role: &str) -> Vec<NoticeAsk> {
    let mut approvals: Vec<&PendingApproval> = session.approvals().values().collect();
    approvals.sort_by_key(|pending| pending.asked.expires_at);
    let mut asks: Vec<NoticeAsk> =
        approvals.into_iter().map(|pending| approval(session, pending, catalog, role)).collect();
    asks.extend(session.unknown().iter().map(|(call, cause)| NoticeAsk {
        yes: Some("It happened: the case goes on with that. It did not happen: the call may be made again.".to_owned()),
        no: Some("Until a person settles it nothing goes on, and its target stays taken.".to_owned()),
        ..ask(NeedKind::UnknownOutcome, format!("Did the call {call} happen? {}", plain(cause, WORDS_MAX)))
    }));
    asks.extend(session.operator().map(|asked| NoticeAsk {
        why: asked.threshold.map(|below| format!("its confidence {:.2} is below {below:.2}", asked.confidence)),
        yes: Some("Your words go to the agent, and it goes on.".to_owned()),
        no: Some("The case waits until somebody answers or stops it.".to_owned()),
        ..ask(NeedKind::Question, plain(&format!("{} asks: {}", asked.from, asked.summary), WORDS_MAX))
    }));
    let ended = |kind, what: String| NoticeAsk {
        yes: Some("Try it again, or close it under your own name.".to_owned()),
        no: Some("Nothing works on the case.".to_owned()),
        ..ask(kind, what)
    };
    match session.status() {
        Status::NeedsReview => {
            let reason = plain(session.status_reason(), WORDS_MAX);
            asks.push(ended(NeedKind::NeedsReview, format!("The run ended without an outcome: {reason}")));
        }
        Status::Error => {
            let why = session.last_failure().map_or_else(|| session.status_reason().to_owned(), ToString::to_string);
            asks.push(ended(NeedKind::Error, format!("An agent failed: {}", plain(&why, WORDS_MAX))));
        }
        Status::New | Status::InProgress | Status::AwaitingInput | Status::Outcome(_) | Status::Stopped => {}
    }
    asks.extend(session.deferrals().map(|(by, deferral)| {
        let what = match by {
            DeferredBy::Model(agent) => format!("the model of {agent}"),
            DeferredBy::Tool(tool) => tool.to_string(),
        };
        let why = plain(&deferral.why, WORDS_MAX);
        NoticeAsk {
            no: Some(format!("It is tried until {} and fails then.", minute(deferral.budget_ends_at))),
            ..ask(NeedKind::Outage, format!("Waiting for {what} since {}: {why}", minute(deferral.waiting_since)))
        }
    }));
    asks
}

fn ask(kind: NeedKind, what: String) -> NoticeAsk {
    NoticeAsk {
        kind,
        what,
        why: None,
        changes: Vec::new(),
        yes: None,
        no: None,
        until: None,
        who: "Anybody with the role operator may answer.".to_owned(),
        approval: None,
    }
}

fn approval(session: &Session, pending: &PendingApproval, catalog: &Catalog, role: &str) -> NoticeAsk {
    let asked = &pending.asked;
    let spec = catalog.get(&asked.tool);
    let about = spec.map(|spec| plain(&spec.description, WORDS_MAX)).filter(|about| !about.is_empty());
    let about = about.map_or_else(String::new, |about| format!(": {about}"));
    let agent = session.agent_of(&asked.call).map_or_else(|| "A person".to_owned(), |agent| plain(agent.as_str(), 80));
    let once = spec.map_or("", |spec| match spec.effect {
        EffectClass::Read => " It reads only.",
        EffectClass::Idempotent | EffectClass::Probe => "",
        EffectClass::Unsafe => " It is not repeated by itself.",
    });
    NoticeAsk {
        why: Some(format!("because {}", reason(asked.reason))),
        changes: arguments(asked),
        yes: Some(format!("{} runs once with these arguments.{once}", asked.tool)),
        no: Some("It does not run; the agent is told so and why. Without an answer it does not run either.".to_owned()),
        until: Some(asked.expires_at),
        who: who(session, pending, role),
        approval: Some(asked.approval.clone()),
        ..ask(NeedKind::Approval, format!("{agent} asks to run {}{about}", asked.tool))
    }
}

fn who(session: &Session, PendingApproval { asked, approved_by, .. }: &PendingApproval, role: &str) -> String {
    let several = if asked.min > 1 {
        format!("; {} people must approve, {} did", asked.min, approved_by.len())
    } else {
        String::new()
    };
    let causes = session.causes(&asked.call).into_iter().filter(|own| **own != Principal::Runtime);
    let barred: Vec<String> = causes.map(|own| plain(&own.to_string(), 80)).take(5).collect();
    let barred = if asked.not_requester && !barred.is_empty() {
        format!("; not {}, who caused the call", barred.join(", "))
    } else {
        String::new()
    };
    format!("Who has the role {role} may answer{several}{barred}.")
}

fn arguments(asked: &ApprovalRequested) -> Vec<NoticeFact> {
    let all = asked.args.as_object().into_iter().flatten();
    let mut facts: Vec<NoticeFact> = all.clone().take(ARGUMENTS_MAX).map(|(name, value)| fact(name, value)).collect();
    let more = all.count().saturating_sub(ARGUMENTS_MAX);
    if more > 0 {
        facts.push(NoticeFact { name: "…".to_owned(), value: format!("{more} more; the page shows them") });
    }
    facts
}

/// A name and its value, as JSON where it is not a text.
pub(super) fn fact(name: &str, value: &Value) -> NoticeFact {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    NoticeFact { name: plain(name, 80), value: plain(&value, VALUE_MAX) }
}

/// Why a gate asks; fits after "because".
const fn reason(reason: GateReason) -> &'static str {
    match reason {
        GateReason::HighRiskTool => "this tool is high risk",
        GateReason::GatedEnvironment => "the environment is gated for this tool",
        GateReason::LowConfidence => "the agent's confidence is too low to act alone",
        GateReason::Rule => "a rule of the policy asks for it here",
        GateReason::Effect => "closing the case this way runs this tool, and the policy asks for it",
        GateReason::PolicyDenied => "the policy denies it",
        GateReason::Auto => "nothing asks for a person",
    }
}

/// Date and minute.
pub(super) fn minute(at: Timestamp) -> String {
    format!("{} UTC", at.to_string().get(..16).unwrap_or_default().replace('T', " "))
}
