//! What is known of a session: a bounded header.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::handover::Handover;
use super::record::AssignmentRecord;
use crate::call::Call;
use crate::claims::{ClaimKey, HeldClaim};
use crate::confidence::Confidence;
use crate::event::{ApprovalRequested, OperatorAsked};
use crate::evidence::ResultKind;
use crate::failure::AgentFailure;
use crate::ids::{
    AgentName, ApprovalId, AssignmentId, CallId, Digest, Fence, Handle, PackName, Seq, SessionId, ToolName,
};
use crate::model::Usage;
use crate::origin::CaseOrigin;
use crate::principal::Principal;
use crate::status::Status;
use crate::time::Timestamp;
use crate::work::{CaseNews, Work};

/// How many of the last tool results the header holds; the log tells of older ones where they are cited.
pub const RESULTS_MAX: usize = 256;
/// How many decided approvals are remembered, to tell "too late" from "no such approval".
pub(super) const DECIDED_MAX: usize = 64;
/// How many of the operator's last words later briefings repeat.
pub(super) const WORDS_MAX: usize = 16;
/// How many of the last signals from outside later briefings repeat.
pub(super) const NEWS_MAX: usize = 8;

/// A session's bounded header. [`Session::apply`] is its only mutation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub(super) id: SessionId,
    pub(super) handle: Handle,
    pub(super) pack: PackName,
    pub(super) pack_version: u32,
    pub(super) pack_digest: Digest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) catalogue_digest: Option<Digest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) roles_digest: Option<Digest>,
    pub(super) fields: Arc<Value>,
    #[serde(default, skip_serializing_if = "CaseOrigin::is_empty")]
    pub(super) origin: CaseOrigin,
    /// Of the fields, those that an agent wrote.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) authors: BTreeMap<String, FieldAuthor>,
    pub(super) parent: Option<SessionId>,
    pub(super) requester: Principal,
    /// Who started it or had it tried again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) starters: BTreeSet<Principal>,
    /// Who last edited the arguments of a call that is still open.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) editors: BTreeMap<CallId, Principal>,
    pub(super) status: Status,
    pub(super) status_reason: String,
    pub(super) head: Seq,
    /// The fence of the last event.
    pub(super) head_fence: Fence,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) status_at: Timestamp,
    pub(super) last_assignment: AssignmentId,
    pub(super) last_agent: Option<AgentName>,
    pub(super) last_failure: Option<AgentFailure>,
    pub(super) retries: u32,
    pub(super) records: VecDeque<AssignmentRecord>,
    pub(super) works: BTreeMap<AssignmentId, Work>,
    pub(super) calls: BTreeMap<CallId, Call>,
    pub(super) handover: Option<Handover>,
    pub(super) approvals: BTreeMap<ApprovalId, PendingApproval>,
    pub(super) decided: VecDeque<ApprovalId>,
    /// Approvals that people gave and that no intent has consumed yet, by their calls.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) unused: BTreeMap<CallId, PendingApproval>,
    /// The claims it holds, by the calls they were taken for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) held: BTreeMap<CallId, HeldClaim>,
    /// Since when the alert is over that the case came from, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) resolved_at: Option<Timestamp>,
    pub(super) operator: Option<OperatorAsked>,
    pub(super) words: VecDeque<(Principal, String)>,
    pub(super) news: VecDeque<CaseNews>,
    pub(super) claim: Option<OpenClaim>,
    pub(super) unknown: BTreeMap<CallId, String>,
    /// Of these, those that were made again while nobody knew whether the attempt before had happened.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) repeated: BTreeSet<CallId>,
    pub(super) reports: BTreeMap<AgentName, AgentReport>,
    pub(super) findings: BTreeMap<ToolName, Vec<Arc<Value>>>,
    /// Who recorded each of the findings, in their order.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) finders: BTreeMap<ToolName, Vec<Option<AgentName>>>,
    pub(super) results: VecDeque<(Seq, ResultKind)>,
    pub(super) changed_at: Seq,
    /// When the last call was decided on that changes the world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) acted_at: Option<Timestamp>,
    pub(super) confidence: Option<Confidence>,
    pub(super) usage: Usage,
    pub(super) priced_micro_usd: u64,
    /// Since when something of it waits for a server that failed, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outage_since: Option<Timestamp>,
    /// Who last said that they are at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) acknowledged: Option<Acknowledgement>,
}

/// A person said that they are at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// Who.
    pub by: Principal,
    /// When.
    pub at: Timestamp,
    /// Where it stands in the log.
    pub seq: Seq,
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

/// A field whose value an agent wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldAuthor {
    /// Who wrote it last.
    pub agent: AgentName,
    /// Where that stands in the log.
    pub seq: Seq,
    /// The value as the case came; absent where it had none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_as: Option<Value>,
}

/// The last report of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AgentReport {
    /// Its signal, if it gave one.
    pub signal: Option<String>,
    /// What it found.
    pub content: String,
    /// How sure it was.
    pub confidence: Confidence,
    /// Why.
    pub rationale: String,
    /// The typed report of its role, if it gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Arc<Value>>,
    /// Where it stands in the log.
    pub seq: Seq,
    /// The tool results behind it.
    pub evidence: Vec<Seq>,
}

/// A terminal claim whose effect is under way. The effect is a call like any other, owned by the claim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenClaim {
    /// The terminal call.
    pub call: CallId,
    /// Who claims.
    pub by: Principal,
    /// The terminal tool.
    pub tool: ToolName,
    /// Its arguments.
    pub args: Arc<Value>,
}

impl Session {
    /// The id by which logs, stores and programs refer to it.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// What people call it, for example `INC-20261120-0001`.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Its pack's name.
    pub fn pack(&self) -> &PackName {
        &self.pack
    }

    /// The pack digest it pinned.
    pub fn pack_digest(&self) -> Digest {
        self.pack_digest
    }

    /// Digest of the tool catalogue it goes on with; `None` where that was never noted.
    pub fn catalogue_digest(&self) -> Option<Digest> {
        self.catalogue_digest
    }

    /// Digest of the roles it goes on with; `None` where that was never noted.
    pub fn roles_digest(&self) -> Option<Digest> {
        self.roles_digest
    }

    /// The values of the pack's fields, a JSON object.
    pub fn fields(&self) -> &Arc<Value> {
        &self.fields
    }

    /// Of the fields, those whose value an agent wrote, by name.
    pub fn field_authors(&self) -> &BTreeMap<String, FieldAuthor> {
        &self.authors
    }

    /// Who asked for it.
    pub fn requester(&self) -> &Principal {
        &self.requester
    }

    /// Everybody who caused a call: opened or started the session or had it tried again, edited the call's arguments, or
    /// claimed or edited what it is the effect of.
    pub fn causes(&self, call: &CallId) -> BTreeSet<&Principal> {
        let mut causes: BTreeSet<&Principal> = self.starters.iter().chain([&self.requester]).collect();
        causes.extend(self.editors.get(call));
        if let Some(open) = self.claim.as_ref().filter(|open| *call == open.call.effect()) {
            causes.insert(&open.by);
            causes.extend(self.editors.get(&open.call));
        }
        causes
    }

    /// When the status last moved.
    pub fn status_at(&self) -> Timestamp {
        self.status_at
    }

    /// Where the session stands: new, at work, waiting or ended.
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

    /// The works under way, by their assignments.
    pub fn works(&self) -> &BTreeMap<AssignmentId, Work> {
        &self.works
    }

    /// The work under way that was given out last.
    pub fn newest_work(&self) -> Option<&Work> {
        self.works.last_key_value().map(|(_, work)| work)
    }

    /// The last assignments, oldest first, and how their workers ended.
    pub fn records(&self) -> impl Iterator<Item = &AssignmentRecord> {
        self.records.iter()
    }

    /// What the runtime decides next, where no work is under way.
    pub(crate) fn handover(&self) -> Option<&Handover> {
        self.handover.as_ref()
    }

    /// The pending approvals.
    pub fn approvals(&self) -> &BTreeMap<ApprovalId, PendingApproval> {
        &self.approvals
    }

    /// Whether an approval was pending once.
    pub(crate) fn was_decided(&self, approval: &ApprovalId) -> bool {
        self.decided.contains(approval)
    }

    /// The approval that a person gave a call and that no intent has consumed yet.
    pub(crate) fn unused(&self, call: &CallId) -> Option<&PendingApproval> {
        self.unused.get(call)
    }

    /// The claims it holds, by the calls they were taken for. They outlive its end until every outcome is known.
    pub fn held(&self) -> &BTreeMap<CallId, HeldClaim> {
        &self.held
    }

    /// Its own claim on a target.
    pub(crate) fn held_on(&self, key: &ClaimKey) -> Option<(&CallId, &HeldClaim)> {
        self.held.iter().find(|(_, held)| held.key == *key)
    }

    /// Since when the alert is over that the case came from, if it is.
    pub fn resolved_at(&self) -> Option<Timestamp> {
        self.resolved_at
    }

    /// What an operator is asked.
    pub fn operator(&self) -> Option<&OperatorAsked> {
        self.operator.as_ref()
    }

    /// What came in from outside since the session was opened, the last of it, oldest first.
    pub fn news(&self) -> impl Iterator<Item = &CaseNews> {
        self.news.iter()
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

    /// The call of this id.
    pub fn call(&self, id: &CallId) -> Option<&Call> {
        self.calls.get(id)
    }

    /// Whether an earlier attempt at this call may have happened, whatever comes of the present one.
    pub fn may_have_happened_before(&self, id: &CallId) -> bool {
        self.repeated.contains(id) || self.call(id).and_then(Call::intent).is_some_and(|intent| intent.lost)
    }

    /// The last report of each agent.
    pub fn reports(&self) -> &BTreeMap<AgentName, AgentReport> {
        &self.reports
    }

    /// The findings of each findings tool, oldest first.
    pub fn findings(&self) -> &BTreeMap<ToolName, Vec<Arc<Value>>> {
        &self.findings
    }

    /// The findings of a findings tool that an agent recorded, oldest first.
    pub fn findings_by<'a>(&'a self, agent: &'a AgentName, tool: &ToolName) -> impl Iterator<Item = &'a Value> {
        let finders = self.finders.get(tool).into_iter().flatten();
        let all = self.findings.get(tool).into_iter().flatten().zip(finders);
        all.filter(move |(_, finder)| finder.as_ref() == Some(agent)).map(|(finding, _)| &**finding)
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
    pub fn last_assignment(&self) -> AssignmentId {
        self.last_assignment
    }

    /// What the delivery that opened it says of it besides the fields: data from outside.
    pub fn origin(&self) -> &CaseOrigin {
        &self.origin
    }

    /// Who last said that they are at it.
    pub fn acknowledgement(&self) -> Option<&Acknowledgement> {
        self.acknowledged.as_ref()
    }

    /// When the last call was decided on that changes the world; `None` before the first.
    pub fn acted_at(&self) -> Option<Timestamp> {
        self.acted_at
    }

    /// The last confidence any agent stated.
    pub fn confidence(&self) -> Option<Confidence> {
        self.confidence
    }

    /// What it has used so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// What it has cost so far where the price is known, in millionths of a US dollar. The rest is unknown.
    pub fn priced_micro_usd(&self) -> u64 {
        self.priced_micro_usd
    }

    /// What the tool result at a position came to; `None` where no result stands, or one that is older than the last ones.
    pub fn result(&self, seq: Seq) -> Option<ResultKind> {
        let index = self.results.binary_search_by_key(&seq, |(own, _)| *own).ok()?;
        self.results.get(index).map(|(_, kind)| *kind)
    }

    /// Whether nothing was changed in the world after a report of this session.
    pub fn is_since_change(&self, report: &AgentReport) -> bool {
        report.seq > self.changed_at
    }

    /// The signal an agent reported after the last change to the world.
    pub fn report_since_change(&self, agent: &AgentName) -> Option<&str> {
        self.reports
            .get(agent)
            .filter(|report| self.is_since_change(report))
            .and_then(|report| report.signal.as_deref())
    }
}
