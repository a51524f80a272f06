//! What people can do with a session as it stands: answer, settle, say, steer.

use provost_domain::decide;
use provost_domain::event::ApprovalRequested;
use provost_domain::pack::Pack;
use provost_domain::session::{PendingApproval, Session};
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_domain::tool::Catalog;
use serde_json::{Map, Value, json};

use super::describe::{effect, reason, word};
use super::pieces::{Piece, pieces};
use super::text::{ago, pretty, until};
use super::timeline::Timeline;

/// A call that waits for an answer.
#[derive(Debug)]
pub(crate) struct ApprovalCard {
    pub(crate) id: String,
    pub(crate) session: String,
    pub(crate) handle: String,
    pub(crate) title: String,
    pub(crate) tool: String,
    /// What the tool does, and what a repetition of it means.
    pub(crate) description: String,
    pub(crate) effect: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) args: Vec<Arg>,
    /// The arguments that may be replaced, as JSON.
    pub(crate) editable: String,
    /// How many must approve, and who has.
    pub(crate) min: u32,
    pub(crate) approved_by: String,
    /// Who may not answer, if the pack says so.
    pub(crate) not: Option<String>,
    /// Whether that is who looks.
    pub(crate) not_you: bool,
    pub(crate) asked: String,
    pub(crate) expires: String,
    pub(crate) expires_at: String,
}

/// One argument.
#[derive(Debug)]
pub(crate) struct Arg {
    pub(crate) name: String,
    pub(crate) value: Vec<Piece>,
    /// Supplied by the session, not by the model.
    pub(crate) injected: bool,
}

/// Who looks, when, and what is known of tools.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look<'a> {
    pub(crate) who: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) catalog: &'a Catalog,
    /// The session's title.
    pub(crate) title: &'a str,
}

/// The pending approvals of a session; the first to expire first.
pub(crate) fn approval_cards(session: &Session, look: Look<'_>) -> Vec<ApprovalCard> {
    let mut pending: Vec<_> = session.approvals().values().collect();
    pending.sort_by_key(|pending| pending.asked.expires_at);
    pending.into_iter().map(|pending| card(session, pending, look)).collect()
}

fn card(session: &Session, pending: &PendingApproval, look: Look<'_>) -> ApprovalCard {
    let asked = &pending.asked;
    let spec = look.catalog.get(&asked.tool);
    let approved: Vec<&str> = pending.approved_by.iter().map(provost_domain::ids::Principal::as_str).collect();
    let requester = session.requester().to_string();
    ApprovalCard {
        id: asked.approval.to_string(),
        session: session.id().to_string(),
        handle: session.handle().to_string(),
        title: look.title.to_owned(),
        tool: asked.tool.to_string(),
        description: spec.map(|spec| spec.description.clone()).unwrap_or_default(),
        effect: spec.map(|spec| effect(spec.effect)).unwrap_or_default(),
        reason: reason(asked.reason),
        args: args(session, asked),
        editable: pretty(&Value::Object(editable(asked))),
        min: asked.min,
        approved_by: approved.join(", "),
        not_you: asked.not_requester && requester == look.who,
        not: asked.not_requester.then_some(requester),
        asked: ago(look.now, pending.at),
        expires: until(look.now, asked.expires_at),
        expires_at: asked.expires_at.to_string(),
    }
}

fn args(session: &Session, asked: &ApprovalRequested) -> Vec<Arg> {
    let fields = asked.args.as_object().into_iter().flatten();
    fields
        .map(|(name, value)| Arg {
            name: name.clone(),
            value: pieces(session.id(), &pretty(value)),
            injected: asked.injected.contains(name),
        })
        .collect()
}

fn editable(asked: &ApprovalRequested) -> Map<String, Value> {
    let fields = asked.args.as_object().into_iter().flatten();
    fields
        .filter(|(name, _)| !asked.injected.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// A call of which nobody knows whether it happened.
#[derive(Debug)]
pub(crate) struct DoubtCard {
    pub(crate) call: String,
    pub(crate) tool: String,
    pub(crate) cause: Vec<Piece>,
}

/// A question to an operator.
#[derive(Debug)]
pub(crate) struct QuestionCard {
    pub(crate) from: String,
    pub(crate) why: String,
    pub(crate) summary: Vec<Piece>,
}

/// A new try after an end.
#[derive(Debug)]
pub(crate) struct RetryCard {
    /// Whether the policy is asked at all.
    pub(crate) possible: bool,
    /// Whether it says yes.
    pub(crate) allowed: bool,
    /// What it says, or why it is not asked.
    pub(crate) reason: String,
}

/// Everything a session asks of people, and what they can do with it.
#[derive(Debug)]
pub(crate) struct Asks {
    pub(crate) approvals: Vec<ApprovalCard>,
    pub(crate) doubts: Vec<DoubtCard>,
    pub(crate) question: Option<QuestionCard>,
    pub(crate) retry: Option<RetryCard>,
    /// What carrying on is called here.
    pub(crate) go_on: Option<&'static str>,
    pub(crate) stops: bool,
}

impl Asks {
    pub(crate) fn new(session: &Session, timeline: &Timeline, pack: Option<&Pack>, look: Look<'_>) -> Self {
        let doubt = |(call, cause): (&provost_domain::ids::CallId, &String)| DoubtCard {
            call: call.to_string(),
            tool: timeline.tool(call).unwrap_or("unknown tool").to_owned(),
            cause: pieces(session.id(), cause),
        };
        let question = session.operator().map(|asked| QuestionCard {
            from: asked.from.to_string(),
            why: asked.threshold.map_or_else(
                || "the agent asks".to_owned(),
                |below| format!("its confidence {:.2} is below {below:.2}", asked.confidence),
            ),
            summary: pieces(session.id(), &asked.summary),
        });
        let (go_on, leaves) = match session.status() {
            Status::New => (Some("Start"), false),
            Status::InProgress => (Some("Continue"), false),
            Status::NeedsReview | Status::Error => (None, true),
            Status::AwaitingInput | Status::Outcome(_) | Status::Stopped => (None, false),
        };
        let retry = leaves.then(|| match decide::preview_retry(session, pack) {
            Ok(decision) => {
                RetryCard { possible: true, allowed: decision.retry, reason: word(&json!(decision.reason)) }
            }
            Err(refusal) => RetryCard { possible: false, allowed: false, reason: refusal.to_string() },
        });
        Self {
            approvals: approval_cards(session, look),
            doubts: session.unknown().iter().map(doubt).collect(),
            question,
            retry,
            go_on,
            stops: !session.status().is_final(),
        }
    }
}
