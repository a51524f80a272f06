//! Sessions.

use std::collections::BTreeMap;

use provost_domain::claims::HeldClaim;
use provost_domain::confidence::Confidence;
use provost_domain::evidence::Evidence;
use provost_domain::ids::{CallId, Seq};
use provost_domain::origin::CaseOrigin;
use provost_domain::outage::Deferral;
use provost_domain::projection::SessionRow;
use provost_domain::session::{AgentReport, DeferredBy, FieldAuthor, Session};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::visible::VisibleText;

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
    /// Of the fields, those that an agent wrote, by name.
    #[serde(default)]
    pub field_authors: BTreeMap<String, FieldAuthorView>,
    /// What its delivery said of it besides the fields.
    #[serde(default)]
    pub origin: OriginView,
    /// What its agents reported last, by agent.
    pub reports: BTreeMap<String, AgentReportView>,
    /// Findings by tool, each a list with the oldest first.
    #[schema(value_type = Object)]
    pub findings: BTreeMap<String, Vec<Value>>,
    /// Its pending approvals' ids.
    pub approvals_pending: Vec<String>,
    /// Calls whose outcome nobody knows, with the cause, by call.
    pub outcomes_unknown: BTreeMap<String, String>,
    /// What it waits for because a server failed: a model or tools.
    #[serde(default)]
    pub waiting_for: Vec<WaitView>,
    /// What its calls act on now, so that no other session does.
    #[serde(default)]
    pub acts_on: Vec<ActView>,
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
            field_authors: field_authors(session),
            origin: OriginView::new(session.origin()),
            reports: agent_reports(session),
            findings: session
                .findings()
                .iter()
                .map(|(tool, findings)| {
                    (tool.to_string(), findings.iter().map(|finding| (**finding).clone()).collect())
                })
                .collect(),
            approvals_pending: session.approvals().keys().map(ToString::to_string).collect(),
            outcomes_unknown: session.unknown().iter().map(|(call, cause)| (call.to_string(), cause.clone())).collect(),
            waiting_for: session.deferrals().map(|(by, deferral)| WaitView::new(by, deferral)).collect(),
            acts_on: session.held().iter().map(|(call, held)| ActView::new(call, held)).collect(),
            operator_asked: session.operator().map(|asked| asked.summary.clone()),
            agent: session.newest_work().map(|work| work.agent.to_string()),
            assignments: session.records().map(|record| json!(record)).collect(),
            retries: session.retries(),
            usage: json!(session.usage()),
            last_event_seq: head,
        }
    }
}

/// What a delivery said of a case besides its fields: data from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OriginView {
    /// When the trouble began.
    pub onset: Option<String>,
    /// Addresses that a person may want to open.
    pub links: Vec<String>,
    /// Words that the pack does not know, by the field they were for.
    pub unknown_words: BTreeMap<String, String>,
}

impl OriginView {
    fn new(origin: &CaseOrigin) -> Self {
        let CaseOrigin { onset, links, unknown_words } = origin;
        let onset = onset.map(|onset| onset.to_string());
        Self { onset, links: links.clone(), unknown_words: unknown_words.clone() }
    }

    /// What of it a person must know, a line each.
    pub fn notes(&self) -> Vec<VisibleText> {
        let began = self.onset.iter().map(|onset| format!("began {onset}"));
        let unknown = self.unknown_words.iter();
        let unknown =
            unknown.map(|(field, word)| format!("the pack does not know `{word}`, which was sent for `{field}`"));
        began.chain(unknown).map(VisibleText::new).collect()
    }
}

/// A target that a call acts on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActView {
    /// What is acted on.
    #[schema(example = "staging/shop")]
    pub target: String,
    /// The call that acts on it.
    pub call: String,
    /// The tool that is called.
    pub tool: String,
    /// Since when it is taken.
    pub since: String,
}

impl ActView {
    fn new(call: &CallId, held: &HeldClaim) -> Self {
        let HeldClaim { key, tool, since } = held;
        Self { target: key.to_string(), call: call.to_string(), tool: tool.to_string(), since: since.to_string() }
    }

    /// In words, for people.
    pub fn words(&self) -> VisibleText {
        let Self { target, call: _, tool, since } = self;
        VisibleText::new(format!("acts on {target} by {tool} since {since}: no other session does meanwhile"))
    }
}

/// A server that failed and is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WaitView {
    /// What is waited for: `the model of AGENT`, or a tool.
    #[schema(example = "the model of scout")]
    pub what: String,
    /// When it failed first.
    pub since: String,
    /// How often it failed.
    pub attempt: u32,
    /// When it is tried next.
    pub next_at: String,
    /// Until when it is waited for.
    pub until: String,
    /// What was seen last.
    pub seen: String,
}

impl WaitView {
    fn new(by: DeferredBy<'_>, deferral: &Deferral) -> Self {
        let what = match by {
            DeferredBy::Model(agent) => format!("the model of {agent}"),
            DeferredBy::Tool(tool) => tool.to_string(),
        };
        Self {
            what,
            since: deferral.waiting_since.to_string(),
            attempt: deferral.attempt,
            next_at: deferral.next_at.to_string(),
            until: deferral.budget_ends_at.to_string(),
            seen: deferral.why.clone(),
        }
    }

    /// In words, for people.
    pub fn words(&self) -> VisibleText {
        let Self { what, since, attempt, next_at, until, seen } = self;
        let text =
            format!("waiting for {what} since {since} (attempt {attempt}, next at {next_at}, until {until}): {seen}");
        VisibleText::new(text)
    }
}

/// Who wrote a field of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FieldAuthorView {
    /// The agent that wrote it last.
    pub agent: String,
    /// Where that stands in the log.
    pub seq: u64,
    /// The value as the case came; null where it had none.
    #[schema(value_type = Option<Object>, required = true)]
    pub came_as: Option<Value>,
}

/// Who wrote the fields of a case that are not as it came.
pub(crate) fn field_authors(session: &Session) -> BTreeMap<String, FieldAuthorView> {
    let view = |author: &FieldAuthor| FieldAuthorView {
        agent: author.agent.to_string(),
        seq: author.seq.0,
        came_as: author.came_as.clone(),
    };
    session.field_authors().iter().map(|(name, author)| (name.clone(), view(author))).collect()
}

/// What an agent reported last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentReportView {
    /// What it asked to happen next.
    pub signal: Option<String>,
    /// What it said.
    pub content: String,
    /// How sure it was, 0 to 1.
    #[schema(value_type = f64)]
    pub confidence: Confidence,
    /// Why.
    pub rationale: String,
    /// The ids of the tool results it stands on.
    pub evidence: Vec<String>,
    /// The typed report of the agent's role; null where it gave none.
    #[schema(value_type = Option<Object>, required = true)]
    pub report: Option<Value>,
    /// Whether nothing was changed after it.
    pub since_change: bool,
    /// Where it stands in the log.
    pub seq: u64,
}

/// What each agent reported last.
pub(crate) fn agent_reports(session: &Session) -> BTreeMap<String, AgentReportView> {
    session.reports().iter().map(|(agent, report)| (agent.to_string(), agent_report(session, report))).collect()
}

fn agent_report(session: &Session, report: &AgentReport) -> AgentReportView {
    let id = |seq: &Seq| Evidence { session: session.id(), seq: *seq }.to_string();
    AgentReportView {
        signal: report.signal.clone(),
        content: report.content.clone(),
        confidence: report.confidence,
        rationale: report.rationale.clone(),
        evidence: report.evidence.iter().map(id).collect(),
        report: report.report.as_deref().cloned(),
        since_change: session.is_since_change(report),
        seq: report.seq.0,
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
