//! What answers look like: the shapes of the API, made of the domain's values.

use provost_domain::access::{AccessRole, Token};
use provost_domain::ids::Seq;
use provost_domain::pack::Pack;
use provost_domain::port::{ApprovalRow, SessionRow};
use provost_domain::session::Session;
use provost_domain::tool::ToolSpec;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A session in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SessionView {
    /// Its id.
    #[schema(example = "ses_019c0f2e6a1b7c3d8e4f5a6b7c8d9e0f")]
    session: String,
    /// Its handle.
    #[schema(example = "INC-20261120-0001")]
    handle: String,
    /// Its status.
    #[schema(example = "in_progress")]
    status: String,
    /// Whether that is an end.
    ended: bool,
    /// Whether what it said was erased.
    erased: bool,
    /// Its pack.
    pack: String,
    /// One line about it.
    title: String,
    /// Its log's head.
    head_seq: u64,
    /// When it was created, RFC 3339 in UTC.
    created_at: String,
    /// When its log last grew.
    progress_at: String,
}

impl From<&SessionRow> for SessionView {
    fn from(row: &SessionRow) -> Self {
        Self {
            session: row.id.to_string(),
            handle: row.handle.to_string(),
            status: row.status.clone(),
            ended: row.ended,
            erased: row.erased_at.is_some(),
            pack: row.pack.clone(),
            title: row.title.clone(),
            head_seq: row.head_seq.0,
            created_at: row.created_at.to_string(),
            progress_at: row.progress_at.to_string(),
        }
    }
}

/// A session as its log folds.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SessionDetail {
    #[serde(flatten)]
    session: SessionView,
    /// Why it has its status.
    reason: String,
    /// Who asked for it.
    requester: String,
    /// Its fields.
    #[schema(value_type = Object)]
    fields: Value,
    /// What its agents reported, by agent.
    #[schema(value_type = Object)]
    reports: Value,
    /// Findings, by tool.
    #[schema(value_type = Object)]
    findings: Value,
    /// Its pending approvals' ids.
    approvals_pending: Vec<String>,
    /// Calls whose outcome nobody knows, with the cause, by call.
    #[schema(value_type = Object)]
    outcomes_unknown: Value,
    /// What an operator is asked, if one is.
    operator_asked: Option<String>,
    /// The agent at work, if one is.
    agent: Option<String>,
    /// The last assignments, oldest first: `assignment`, `agent`, and the `status` its worker ended with: `completed`,
    /// `timeout`, `error`, `not_run`, or `null` while it is at it.
    #[schema(value_type = Vec<Object>)]
    assignments: Value,
    /// How often it was retried.
    retries: u32,
    /// What its models used so far.
    #[schema(value_type = Object)]
    usage: Value,
    /// The last event folded in: follow the events after it.
    last_event_seq: u64,
}

impl SessionDetail {
    pub(crate) fn new(row: &SessionRow, session: &Session) -> Self {
        let Seq(head) = session.head();
        let row = SessionRow {
            status: session.status().as_str().to_owned(),
            ended: session.status().is_end(),
            head_seq: session.head(),
            ..row.clone()
        };
        Self {
            session: SessionView::from(&row),
            reason: session.status_reason().to_owned(),
            requester: session.requester().to_string(),
            fields: (**session.fields()).clone(),
            reports: session.case().get("reports").cloned().unwrap_or_default(),
            findings: json!(session.findings()),
            approvals_pending: session.approvals().keys().map(ToString::to_string).collect(),
            outcomes_unknown: json!(session.unknown()),
            operator_asked: session.operator().map(|asked| asked.summary.clone()),
            agent: session.turn().map(|turn| turn.agent.to_string()),
            assignments: session.works().map(|work| json!(work)).collect(),
            retries: session.retries(),
            usage: json!(session.usage()),
            last_event_seq: head,
        }
    }
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The rows.
    pub(crate) items: Vec<T>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}

/// An event of a session's log.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EventView {
    /// Its position.
    pub(crate) seq: u64,
    /// When, RFC 3339 in UTC.
    at: String,
    /// What happened.
    #[schema(example = "tool_returned")]
    kind: String,
    /// The kind's payload.
    #[schema(value_type = Object)]
    data: Value,
}

impl From<&provost_domain::event::Event> for EventView {
    fn from(event: &provost_domain::event::Event) -> Self {
        Self { seq: event.seq.0, at: event.at.to_string(), kind: event.body.kind().to_owned(), data: event.body.data() }
    }
}

/// An approval.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ApprovalView {
    /// Its id.
    approval: String,
    /// Its session.
    session: String,
    /// The call it would let run.
    call: String,
    /// The tool.
    tool: String,
    /// The call's final arguments; null once its session was erased.
    #[schema(value_type = Option<Object>, required = true)]
    args: Value,
    /// Why the gate asked.
    reason: String,
    /// `pending`, `approved`, `edited`, `rejected`, `responded`, `expired` or `cancelled`.
    state: String,
    /// Who decided.
    decided_by: Option<String>,
    /// When it was asked for.
    requested_at: String,
    /// When it expires.
    expires_at: String,
    /// When it was decided.
    decided_at: Option<String>,
}

impl From<&ApprovalRow> for ApprovalView {
    fn from(row: &ApprovalRow) -> Self {
        Self {
            approval: row.id.to_string(),
            session: row.session.to_string(),
            call: row.call.to_string(),
            tool: row.tool.to_string(),
            args: row.args.clone(),
            reason: row.reason.clone(),
            state: row.state.clone(),
            decided_by: row.decided_by.as_ref().map(ToString::to_string),
            requested_at: row.requested_at.to_string(),
            expires_at: row.expires_at.to_string(),
            decided_at: row.decided_at.map(|at| at.to_string()),
        }
    }
}

/// A loaded pack.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct PackView {
    /// Its name.
    name: String,
    /// Its version.
    version: u32,
    /// Its digest, hex.
    digest: String,
    /// Its agents.
    agents: Vec<String>,
    /// Its terminal tools.
    terminal_tools: Vec<String>,
    /// JSON Schema of a session's fields.
    #[schema(value_type = Object)]
    fields: Value,
}

impl From<&Pack> for PackView {
    fn from(pack: &Pack) -> Self {
        Self {
            name: pack.name.clone(),
            version: pack.version,
            digest: pack.digest.hex(),
            agents: pack.agents.keys().map(ToString::to_string).collect(),
            terminal_tools: pack.terminal_tools.keys().map(ToString::to_string).collect(),
            fields: pack.fields.raw().clone(),
        }
    }
}

/// A tool.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ToolView {
    /// Its name.
    name: String,
    /// What it does.
    description: String,
    /// What a repetition means: `read`, `idempotent`, `probe` or `unsafe`.
    effect: String,
    /// How risky it is.
    risk: String,
    /// JSON Schema of its arguments.
    #[schema(value_type = Object)]
    arguments: Value,
}

impl From<&ToolSpec> for ToolView {
    fn from(spec: &ToolSpec) -> Self {
        let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            name: spec.name.to_string(),
            description: spec.description.clone(),
            effect: word(json!(spec.effect)),
            risk: word(json!(spec.risk)),
            arguments: spec.schema.raw().clone(),
        }
    }
}

/// A token, without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct TokenView {
    /// Its id.
    pub(crate) token: String,
    /// Whose it is.
    pub(crate) name: String,
    /// What it may do.
    #[schema(schema_with = crate::tokens::roles)]
    pub(crate) role: AccessRole,
    /// Who minted it.
    pub(crate) created_by: String,
    /// When.
    pub(crate) created_at: String,
    /// When it ends by itself.
    pub(crate) expires_at: Option<String>,
    /// When it was last used, to the minute.
    pub(crate) used_at: Option<String>,
    /// When it was revoked.
    pub(crate) revoked_at: Option<String>,
}

impl From<&Token> for TokenView {
    fn from(token: &Token) -> Self {
        Self {
            token: token.id.to_string(),
            name: token.name.clone(),
            role: token.role,
            created_by: token.created_by.to_string(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.map(|at| at.to_string()),
            used_at: token.used_at.map(|at| at.to_string()),
            revoked_at: token.revoked_at.map(|at| at.to_string()),
        }
    }
}
