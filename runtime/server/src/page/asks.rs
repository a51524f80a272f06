//! What a session asks of people, as its page shows it: evidence as links, times as spans.

use provost_face::{
    ApprovalCard, ArgumentView, Asks, CallNames, CarryOn, DoubtCard, FieldCard, QuestionCard, RetryCard, TextForm, ago,
    effect, gate_reason, until,
};

use provost_domain::ids::SessionId;
use provost_domain::principal::Principal;
use provost_domain::time::Timestamp;

use super::facts::WrittenBy;
use super::pieces::{Piece, pieces};

/// A call that waits for an answer, with what the card's own values look like.
#[derive(Debug)]
pub(crate) struct ShownApproval {
    pub(crate) card: ApprovalCard,
    /// What a repetition of it means.
    pub(crate) effect: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) args: Vec<ShownArgument>,
    /// What of the case is not as it came.
    pub(crate) written: Vec<ShownField>,
    pub(crate) approved_by: String,
    /// Who may not approve, if the pack says so.
    pub(crate) barred: Option<String>,
    pub(crate) asked: String,
    pub(crate) expires: String,
    pub(crate) expires_at: String,
}

/// One argument.
#[derive(Debug)]
pub(crate) struct ShownArgument {
    pub(crate) name: String,
    pub(crate) value: Vec<Piece>,
    /// Supplied by the session, not by the model.
    pub(crate) injected: bool,
}

/// A field of the case that an agent wrote.
#[derive(Debug)]
pub(crate) struct ShownField {
    pub(crate) name: String,
    pub(crate) now: Vec<Piece>,
    pub(crate) written: WrittenBy,
}

/// A call of which nobody knows whether it happened.
#[derive(Debug)]
pub(crate) struct ShownDoubt {
    pub(crate) call: String,
    pub(crate) tool: String,
    pub(crate) cause: Vec<Piece>,
}

/// A question to an operator.
#[derive(Debug)]
pub(crate) struct ShownQuestion {
    pub(crate) from: String,
    pub(crate) why: String,
    pub(crate) summary: Vec<Piece>,
}

/// Everything a session asks of people, and what they can do with it.
#[derive(Debug)]
pub(crate) struct ShownAsks {
    pub(crate) approvals: Vec<ShownApproval>,
    pub(crate) doubts: Vec<ShownDoubt>,
    pub(crate) question: Option<ShownQuestion>,
    pub(crate) retry: Option<RetryCard>,
    /// What carrying on is called here.
    pub(crate) carry_on: Option<&'static str>,
    pub(crate) forms: Vec<TextForm>,
}

impl ShownApproval {
    pub(crate) fn new(card: ApprovalCard, now: Timestamp) -> Self {
        let approved: Vec<String> = card.approved_by.iter().map(ToString::to_string).collect();
        let argument = |argument: &ArgumentView| ShownArgument {
            name: argument.name.to_string(),
            value: pieces(card.session, argument.value.as_str()),
            injected: argument.injected,
        };
        let field = |field: &FieldCard| ShownField {
            name: field.name.to_string(),
            now: pieces(card.session, field.now.as_str()),
            written: WrittenBy::new(field),
        };
        Self {
            effect: card.effect.map(effect).unwrap_or_default(),
            reason: gate_reason(card.reason),
            args: card.args.iter().map(argument).collect(),
            written: card.written.iter().map(field).collect(),
            approved_by: approved.join(", "),
            barred: (!card.barred.is_empty()).then(|| names(&card.barred)),
            asked: ago(now, card.asked_at),
            expires: until(now, card.expires_at),
            expires_at: card.expires_at.to_string(),
            card,
        }
    }
}

impl ShownAsks {
    /// `names` knows the tools of the calls whose events are on the page.
    pub(crate) fn new(own: SessionId, asks: Asks, names: &CallNames, now: Timestamp) -> Self {
        let doubt = |doubt: DoubtCard| ShownDoubt {
            tool: doubt.tool.map_or_else(|| names.shown(&doubt.call).to_string(), |tool| tool.to_string()),
            call: doubt.call.to_string(),
            cause: pieces(own, doubt.cause.as_str()),
        };
        let question = |question: QuestionCard| ShownQuestion {
            from: question.from.to_string(),
            why: question.why,
            summary: pieces(own, question.summary.as_str()),
        };
        Self {
            approvals: asks.approvals.into_iter().map(|card| ShownApproval::new(card, now)).collect(),
            doubts: asks.doubts.into_iter().map(doubt).collect(),
            question: asks.question.map(question),
            retry: asks.retry,
            carry_on: asks.carry_on.map(|carry_on| match carry_on {
                CarryOn::Start => "Start",
                CarryOn::Continue => "Continue",
            }),
            forms: asks.forms,
        }
    }
}

fn names(people: &[Principal]) -> String {
    people.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
