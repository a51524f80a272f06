//! What a session asks of people, and what they can do with it as it stands: answer, settle, say, try again, steer.

use provost_domain::access::Permission;
use provost_domain::call::CallState;
use provost_domain::decide;
use provost_domain::event::ApprovalRequested;
use provost_domain::gate::GateReason;
use provost_domain::ids::{ApprovalId, CallId, SessionId, ToolName};
use provost_domain::pack::Pack;
use provost_domain::principal::Principal;
use provost_domain::session::{PendingApproval, Session};
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_domain::tool::{Catalog, EffectClass};
use serde_json::{Map, Value, json};

use crate::caller::Caller;
use crate::error::OperationError;
use crate::lookups::{ApprovalQueue, SessionState};
use crate::narrate::word;
use crate::operations::Operations;
use crate::report::{FieldCard, field_cards};
use crate::steer::{Steer, SteerVisitor, TextForm, steers};
use crate::view::field_authors;
use crate::visible::VisibleText;

/// Most characters of arguments to approve: more than a call may have, as nobody approves what is not shown.
const ARGUMENTS_MAX: usize = 1024 * 1024;

/// A call that waits for an answer.
#[derive(Debug, Clone)]
pub struct ApprovalCard {
    /// Names it in an answer.
    pub id: ApprovalId,
    /// Where it waits.
    pub session: SessionId,
    /// The session's handle.
    pub handle: String,
    /// The session's title.
    pub title: VisibleText,
    /// What would run.
    pub tool: ToolName,
    /// What the tool does.
    pub description: VisibleText,
    /// What a repetition of it means; `None` when the tool is not there any more.
    pub effect: Option<EffectClass>,
    /// Why a person is asked.
    pub reason: GateReason,
    /// The agent that asks for the call; `None` where a person claims.
    pub agent: Option<VisibleText>,
    /// What of the case is not as it came: who wrote it, and what it was.
    pub written: Vec<FieldCard>,
    /// The call's final arguments.
    pub args: Vec<ArgumentView>,
    /// The arguments that may be replaced, as JSON.
    pub editable: VisibleText,
    /// How many must approve.
    pub min: u32,
    /// Who has.
    pub approved_by: Vec<Principal>,
    /// Who may not approve, because they caused the call and the pack says so.
    pub barred: Vec<Principal>,
    /// Whether that is who looks.
    pub bars_looker: bool,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

/// One argument of a call.
#[derive(Debug, Clone)]
pub struct ArgumentView {
    /// As the tool's schema has it.
    pub name: VisibleText,
    /// Its value, as JSON.
    pub value: VisibleText,
    /// Supplied by the session, not by the model.
    pub injected: bool,
}

/// A call of which nobody knows whether it happened.
#[derive(Debug, Clone)]
pub struct DoubtCard {
    /// Names it in a settlement.
    pub call: CallId,
    /// Its tool, where the session still has it.
    pub tool: Option<ToolName>,
    /// Why nobody knows.
    pub cause: VisibleText,
}

/// A question to an operator.
#[derive(Debug, Clone)]
pub struct QuestionCard {
    /// The agent whose report led to it.
    pub from: VisibleText,
    /// Why an operator is asked.
    pub why: String,
    /// What the agent said.
    pub summary: VisibleText,
}

/// A new try after an end.
#[derive(Debug, Clone)]
pub struct RetryCard {
    /// Whether the policy is asked at all.
    pub possible: bool,
    /// Whether it says yes.
    pub allowed: bool,
    /// What it says, or why it is not asked.
    pub reason: VisibleText,
}

/// What carrying a session on means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarryOn {
    /// It was only opened.
    Start,
    /// It is under way.
    Continue,
}

/// Everything a session asks of people, and what they can do with it.
#[derive(Debug, Clone)]
pub struct Asks {
    /// The first to expire first.
    pub approvals: Vec<ApprovalCard>,
    /// Calls in doubt.
    pub doubts: Vec<DoubtCard>,
    /// The operator's question, if one is asked.
    pub question: Option<QuestionCard>,
    /// A new try, where the session ended so that a person can leave the end.
    pub retry: Option<RetryCard>,
    /// What carrying on means here, if it can be carried on.
    pub carry_on: Option<CarryOn>,
    /// Commands that take a line of text.
    pub forms: Vec<TextForm>,
}

impl Operations {
    /// What a session asks of people.
    ///
    /// # Errors
    /// The caller may not look.
    pub fn asks(&self, caller: &Caller, state: &SessionState) -> Result<Asks, OperationError> {
        caller.require(Permission::Look)?;
        let session = &state.session;
        let pack = self.engine.pack_of(session);
        let (carry_on, leaves) = match session.status() {
            Status::New => (Some(CarryOn::Start), false),
            Status::InProgress => (Some(CarryOn::Continue), false),
            Status::NeedsReview | Status::Error => (None, true),
            Status::AwaitingInput | Status::Outcome(_) | Status::Stopped => (None, false),
        };
        Ok(Asks {
            approvals: approvals(caller, state, &self.engine.catalog()),
            doubts: doubts(session),
            question: question(session),
            retry: leaves.then(|| retry(session, pack.as_deref())),
            carry_on,
            forms: forms(session),
        })
    }

    /// The approvals of a queue; the first to expire first.
    ///
    /// # Errors
    /// The caller may not look.
    pub fn queued(&self, caller: &Caller, queue: &ApprovalQueue) -> Result<Vec<ApprovalCard>, OperationError> {
        caller.require(Permission::Look)?;
        let catalog = self.engine.catalog();
        let waits = |card: &ApprovalCard| queue.pending.iter().any(|row| row.id == card.id);
        let cards = queue.sessions.iter().flat_map(|state| approvals(caller, state, &catalog));
        let mut cards: Vec<_> = cards.filter(waits).collect();
        cards.sort_by_key(|card| card.expires_at);
        Ok(cards)
    }
}

fn approvals(caller: &Caller, state: &SessionState, catalog: &Catalog) -> Vec<ApprovalCard> {
    let pending = state.session.approvals().values();
    let mut cards: Vec<_> = pending.map(|pending| card(caller, state, pending, catalog)).collect();
    cards.sort_by_key(|card| card.expires_at);
    cards
}

fn card(caller: &Caller, state: &SessionState, pending: &PendingApproval, catalog: &Catalog) -> ApprovalCard {
    let (session, asked) = (&state.session, &pending.asked);
    let spec = catalog.get(&asked.tool);
    let causes = session.causes(&asked.call).into_iter().filter(|_| asked.not_requester);
    let barred: Vec<Principal> = causes.filter(|own| **own != Principal::Runtime).cloned().collect();
    ApprovalCard {
        id: asked.approval.clone(),
        session: session.id(),
        handle: session.handle().to_string(),
        title: VisibleText::new(&state.row.title),
        tool: asked.tool.clone(),
        description: spec.map(|spec| VisibleText::new(&spec.description)).unwrap_or_default(),
        effect: spec.map(|spec| spec.effect),
        reason: asked.reason,
        agent: session.agent_of(&asked.call).map(|agent| VisibleText::new(agent.as_str())),
        written: field_cards(session.fields(), &field_authors(session)),
        args: arguments(asked),
        editable: VisibleText::json(&Value::Object(editable(asked)), ARGUMENTS_MAX),
        min: asked.min,
        approved_by: pending.approved_by.clone(),
        bars_looker: barred.contains(&caller.principal),
        barred,
        asked_at: pending.at,
        expires_at: asked.expires_at,
    }
}

fn arguments(asked: &ApprovalRequested) -> Vec<ArgumentView> {
    let fields = asked.args.as_object().into_iter().flatten();
    fields
        .map(|(name, value)| ArgumentView {
            name: VisibleText::new(name),
            value: VisibleText::json(value, ARGUMENTS_MAX),
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

fn doubts(session: &Session) -> Vec<DoubtCard> {
    let doubt = |(call, cause): (&CallId, &String)| DoubtCard {
        call: call.clone(),
        tool: session.call(call).and_then(|call| match &call.state {
            CallState::Unknown(intent) => Some(intent.tool.clone()),
            CallState::Proposed
            | CallState::Waiting(_)
            | CallState::Approved(_)
            | CallState::Intended(_)
            | CallState::Probing(_)
            | CallState::Settled(_) => None,
        }),
        cause: VisibleText::new(cause),
    };
    session.unknown().iter().map(doubt).collect()
}

fn forms(session: &Session) -> Vec<TextForm> {
    let mut forms = Forms(Vec::new());
    steers(&mut forms);
    forms.0.retain(|form| !(form.ends && session.status().is_final()));
    forms.0
}

struct Forms(Vec<TextForm>);

impl SteerVisitor for Forms {
    fn visit<S: Steer>(&mut self) {
        self.0.extend(S::FORM);
    }
}

fn question(session: &Session) -> Option<QuestionCard> {
    session.operator().map(|asked| QuestionCard {
        from: VisibleText::new(asked.from.as_str()),
        why: asked.threshold.map_or_else(
            || "the agent asks".to_owned(),
            |below| format!("its confidence {:.2} is below {below:.2}", asked.confidence),
        ),
        summary: VisibleText::new(&asked.summary),
    })
}

fn retry(session: &Session, pack: Option<&Pack>) -> RetryCard {
    match decide::preview_retry(session, pack) {
        Ok(decision) => {
            let reason = VisibleText::new(word(&json!(decision.reason)));
            RetryCard { possible: true, allowed: decision.retry, reason }
        }
        Err(refusal) => RetryCard { possible: false, allowed: false, reason: VisibleText::new(refusal.to_string()) },
    }
}
