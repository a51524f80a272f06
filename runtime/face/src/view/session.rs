//! Sessions.

use provost_domain::ids::Seq;
use provost_domain::projection::SessionRow;
use provost_domain::session::Session;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A session in a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SessionView {
    /// Its id.
    #[schema(example = "ses_019c0f2e6a1b7c3d8e4f5a6b7c8d9e0f")]
    pub session: String,
    /// Its name for people.
    #[schema(example = "INC-20261120-0001")]
    pub handle: String,
    /// Where it stands.
    #[schema(example = "in_progress")]
    pub status: String,
    /// Whether that is an end.
    pub ended: bool,
    /// Whether what it said was erased.
    pub erased: bool,
    /// The pack it was opened from.
    pub pack: String,
    /// One line about it.
    pub title: String,
    /// Its log's head.
    pub head_seq: u64,
    /// When it was created, RFC 3339 in UTC.
    pub created_at: String,
    /// When its log last grew.
    pub progress_at: String,
}

impl From<&SessionRow> for SessionView {
    fn from(row: &SessionRow) -> Self {
        Self {
            session: row.id.to_string(),
            handle: row.handle.to_string(),
            status: row.status.to_string(),
            ended: row.ended,
            erased: row.erased_at.is_some(),
            pack: row.pack.to_string(),
            title: row.title.clone(),
            head_seq: row.head_seq.0,
            created_at: row.created_at.to_string(),
            progress_at: row.progress_at.to_string(),
        }
    }
}

/// A session as its log folds.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SessionDetail {
    /// What a list shows of it.
    #[serde(flatten)]
    pub session: SessionView,
    /// Why it has its status.
    pub reason: String,
    /// Who asked for it.
    pub requester: String,
    /// What it was opened with, as its pack's schema says.
    #[schema(value_type = Object)]
    pub fields: Value,
    /// What its agents reported, by agent.
    #[schema(value_type = Object)]
    pub reports: Value,
    /// Findings, by tool.
    #[schema(value_type = Object)]
    pub findings: Value,
    /// Its pending approvals' ids.
    pub approvals_pending: Vec<String>,
    /// Calls whose outcome nobody knows, with the cause, by call.
    #[schema(value_type = Object)]
    pub outcomes_unknown: Value,
    /// What an operator is asked, if one is.
    pub operator_asked: Option<String>,
    /// The agent at work, if one is.
    pub agent: Option<String>,
    /// The last assignments, oldest first: `assignment`, `agent`, and the `status` its worker ended with: `completed`,
    /// `timeout`, `error`, `not_run`, or `null` while it is at it.
    #[schema(value_type = Vec<Object>)]
    pub assignments: Value,
    /// How often it was retried.
    pub retries: u32,
    /// What its models used so far.
    #[schema(value_type = Object)]
    pub usage: Value,
    /// The last event folded in: follow the events after it.
    pub last_event_seq: u64,
}

impl SessionDetail {
    pub(crate) fn new(row: &SessionRow, session: &Session) -> Self {
        let Seq(head) = session.head();
        let row = SessionRow {
            status: session.status().clone(),
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
            agent: session.newest_work().map(|work| work.agent.to_string()),
            assignments: session.records().map(|record| json!(record)).collect(),
            retries: session.retries(),
            usage: json!(session.usage()),
            last_event_seq: head,
        }
    }
}

/// The session's report: what was found, done and decided.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReportView {
    /// As it stands.
    pub session: SessionDetail,
    /// The typed case its agents and conditions read.
    #[schema(value_type = Object)]
    pub case: Value,
}

/// What a command came to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AcceptedView {
    /// The session it was sent to.
    pub session: String,
    /// The session's version after it.
    pub version: u64,
}

/// A session that was erased.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct GoneView {
    /// Its id.
    pub session: String,
    /// Its name for people.
    pub handle: String,
    /// The records whose payload is gone; their headers and hashes stay.
    pub records: u64,
    /// Whether no file of the store holds bytes of it any more. Backups and exports that were made before do.
    pub scrubbed: bool,
    /// Why files still hold bytes of it; it is tried again by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<String>,
}
