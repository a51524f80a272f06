//! The session: the fold of its log.

mod apply;
mod calls;
mod owed;
mod turn;
mod work;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::event::{ApprovalRequested, OperatorAsked};
use crate::failure::AgentFailure;
use crate::ids::{AgentName, ApprovalId, AssignmentId, CallId, Digest, Handle, Principal, Seq, SessionId, ToolName};
use crate::model::Usage;
use crate::status::Status;
use crate::terminal::Evidence;
use crate::time::Timestamp;

pub use apply::IllegalEvent;
pub use owed::{Owed, Wait, owed};
pub use turn::{Call, CallState, Intent, OpenClaim, Settled, Turn, Watch};
pub use work::{Work, WorkerStatus};

/// How many of the last tool results may be cited as evidence: keeps the header bounded, and evidence fresh.
pub const EVIDENCE_MAX: usize = 256;
/// How many decided approvals are remembered, to tell "too late" from "no such approval".
const DECIDED_MAX: usize = 64;
/// How many of the operator's last words later briefings repeat.
const WORDS_MAX: usize = 16;

/// A session's bounded header. [`Session::apply`] is its only mutation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    id: SessionId,
    handle: Handle,
    pack: String,
    pack_version: u32,
    pack_digest: Digest,
    fields: Arc<Value>,
    parent: Option<SessionId>,
    requester: Principal,
    status: Status,
    status_reason: String,
    head: Seq,
    created_at: Timestamp,
    updated_at: Timestamp,
    status_at: Timestamp,
    assignments: AssignmentId,
    last_agent: Option<AgentName>,
    last_failure: Option<AgentFailure>,
    retries: u32,
    turn: Option<Turn>,
    works: VecDeque<Work>,
    approvals: BTreeMap<ApprovalId, PendingApproval>,
    decided: VecDeque<ApprovalId>,
    operator: Option<OperatorAsked>,
    words: VecDeque<(Principal, String)>,
    claim: Option<OpenClaim>,
    unknown: BTreeMap<CallId, String>,
    reports: BTreeMap<AgentName, AgentReport>,
    findings: BTreeMap<ToolName, Arc<Value>>,
    evidence: VecDeque<Seq>,
    changed_at: Seq,
    confidence: Option<f64>,
    usage: Usage,
    usage_known: bool,
}

/// An approval that waits for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PendingApproval {
    /// What was asked.
    pub asked: ApprovalRequested,
    /// When.
    pub at: Timestamp,
    /// Who has approved so far.
    pub approved_by: Vec<Principal>,
}

/// The last report of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentReport {
    /// Its signal, if it gave one.
    pub signal: Option<String>,
    /// What it found.
    pub content: String,
    /// How sure it was.
    pub confidence: f64,
    /// Why.
    pub rationale: String,
    /// Where it stands in the log.
    pub seq: Seq,
    /// The tool results behind it.
    pub evidence: Vec<Seq>,
}

impl Session {
    /// Its id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Its handle.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Its pack's name.
    pub fn pack(&self) -> &str {
        &self.pack
    }

    /// The pack digest it pinned.
    pub fn pack_digest(&self) -> Digest {
        self.pack_digest
    }

    /// Its fields.
    pub fn fields(&self) -> &Arc<Value> {
        &self.fields
    }

    /// Who asked for it.
    pub fn requester(&self) -> &Principal {
        &self.requester
    }

    /// Its status.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// Why it has that status.
    pub fn status_reason(&self) -> &str {
        &self.status_reason
    }

    /// The head of its log, which is also its version.
    pub fn head(&self) -> Seq {
        self.head
    }

    /// When it was created.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When its log last grew.
    pub fn updated_at(&self) -> Timestamp {
        self.updated_at
    }

    /// The open assignment.
    pub fn turn(&self) -> Option<&Turn> {
        self.turn.as_ref()
    }

    /// The pending approvals.
    pub fn approvals(&self) -> &BTreeMap<ApprovalId, PendingApproval> {
        &self.approvals
    }

    /// Whether an approval was pending once.
    pub(crate) fn was_decided(&self, approval: &ApprovalId) -> bool {
        self.decided.contains(approval)
    }

    /// What an operator is asked.
    pub fn operator(&self) -> Option<&OperatorAsked> {
        self.operator.as_ref()
    }

    /// The operator's last words, oldest first.
    pub fn words(&self) -> impl Iterator<Item = &(Principal, String)> {
        self.words.iter()
    }

    /// The terminal claim whose effect is under way.
    pub fn claim(&self) -> Option<&OpenClaim> {
        self.claim.as_ref()
    }

    /// Calls of which nobody knows whether they happened, with the cause.
    pub fn unknown(&self) -> &BTreeMap<CallId, String> {
        &self.unknown
    }

    /// The last report of each agent.
    pub fn reports(&self) -> &BTreeMap<AgentName, AgentReport> {
        &self.reports
    }

    /// The last finding of each findings tool.
    pub fn findings(&self) -> &BTreeMap<ToolName, Arc<Value>> {
        &self.findings
    }

    /// How many retries there have been.
    pub fn retries(&self) -> u32 {
        self.retries
    }

    /// Why the last agent failed, if that is where the session stands.
    pub fn last_failure(&self) -> Option<&AgentFailure> {
        self.last_failure.as_ref()
    }

    /// The agent that worked last.
    pub fn last_agent(&self) -> Option<&AgentName> {
        self.last_agent.as_ref()
    }

    /// The last assignment issued.
    pub fn assignments(&self) -> AssignmentId {
        self.assignments
    }

    /// The last confidence any agent stated.
    pub fn confidence(&self) -> Option<f64> {
        self.confidence
    }

    /// What it has used so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Whether an evidence id names one of the last tool results.
    pub fn holds_evidence(&self, evidence: Evidence) -> bool {
        evidence.session == self.id && self.evidence.contains(&evidence.seq)
    }

    /// The signal an agent reported after the last change to the world.
    pub fn report_since_change(&self, agent: &AgentName) -> Option<&str> {
        self.reports
            .get(agent)
            .filter(|report| report.seq > self.changed_at)
            .and_then(|report| report.signal.as_deref())
    }

    /// The typed case: what providers that read data, and conditions, look at.
    pub fn case(&self) -> Value {
        let reports: BTreeMap<&str, Value> = self
            .reports
            .iter()
            .map(|(agent, report)| {
                let evidence: Vec<String> =
                    report.evidence.iter().map(|seq| Evidence { session: self.id, seq: *seq }.to_string()).collect();
                let body = json!({
                    "signal": report.signal, "content": report.content, "confidence": report.confidence,
                    "rationale": report.rationale, "evidence": evidence,
                    "since_change": report.seq > self.changed_at,
                });
                (agent.as_str(), body)
            })
            .collect();
        json!({
            "session": {"id": self.id, "handle": self.handle, "fields": self.fields},
            "reports": reports,
            "findings": self.findings,
            "operator": self.words.back().map(|(_, text)| text),
        })
    }

    /// The header's bytes for a snapshot.
    pub fn to_snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(&Kept { v: SNAPSHOT, session: self }).unwrap_or_default()
    }

    /// A header from a snapshot's bytes.
    ///
    /// # Errors
    /// They have another version's form, or none. Then the log tells the same.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, IllegalEvent> {
        let unreadable = |error: serde_json::Error| IllegalEvent::Snapshot { detail: error.to_string() };
        let written: Version = serde_json::from_slice(bytes).map_err(unreadable)?;
        if written.v != SNAPSHOT {
            let detail = format!("it has version {}, this program reads {SNAPSHOT}", written.v);
            return Err(IllegalEvent::Snapshot { detail });
        }
        serde_json::from_slice(bytes).map(|Held { session }| session).map_err(unreadable)
    }
}

/// The version of a snapshot's form: one more with every change of [`Session`] or of what is in it.
const SNAPSHOT: u16 = 3;

#[derive(Serialize)]
struct Kept<'a> {
    v: u16,
    session: &'a Session,
}

#[derive(Deserialize)]
struct Version {
    v: u16,
}

#[derive(Deserialize)]
struct Held {
    session: Session,
}
