//! The fold: one event at a time, the only mutation of a session. Serves live recording and recovery alike.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{AgentReport, Call, CallState, OpenClaim, PendingApproval, Session, Turn, WORDS_MAX, Watch, WorkerStatus};
use crate::event::{AgentFinished, AssignmentIssued, Event, EventBody, ModelReplied, SessionCreated, WatchPolled};
use crate::failure::AgentFailure;
use crate::ids::{AssignmentId, CallId, Digest, Seq};
use crate::model::{Message, Usage};
use crate::refusal::ToolRefusal;
use crate::status::Status;
use crate::terminal::StatusChanged;
use crate::time::millis;

/// An event does not fit the state it meets: the log is not one this program wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalEvent {
    /// Not the next position.
    #[error("event {seq} does not follow {head}")]
    OutOfOrder {
        /// The event's position.
        seq: Seq,
        /// The head.
        head: Seq,
    },
    /// The first event is not a creation, or a later one is.
    #[error("event {seq} `{kind}` stands where the log's first event and only that must create the session")]
    Creation {
        /// The event's position.
        seq: Seq,
        /// Its kind.
        kind: &'static str,
    },
    /// It speaks of something that is not there.
    #[error("event {seq} `{kind}` names {what}, which is not there")]
    Unknown {
        /// The event's position.
        seq: Seq,
        /// Its kind.
        kind: &'static str,
        /// What it names.
        what: String,
    },
    /// The snapshot could not be read.
    #[error("the snapshot cannot be read: {detail}")]
    Snapshot {
        /// Why.
        detail: String,
    },
}

impl Session {
    /// The session a log's first event creates.
    pub fn create(event: &Event) -> Result<Self, IllegalEvent> {
        let EventBody::SessionCreated(created) = &event.body else {
            return Err(IllegalEvent::Creation { seq: event.seq, kind: event.body.kind() });
        };
        let SessionCreated { session, handle, pack, pack_version, pack_digest, fields, parent, by } = created.clone();
        Ok(Self {
            id: session,
            handle,
            pack,
            pack_version,
            pack_digest,
            fields,
            parent,
            requester: by,
            status: Status::New,
            status_reason: String::new(),
            head: event.seq,
            created_at: event.at,
            updated_at: event.at,
            status_at: event.at,
            assignments: AssignmentId(0),
            last_agent: None,
            last_failure: None,
            retries: 0,
            turn: None,
            works: VecDeque::new(),
            approvals: BTreeMap::new(),
            decided: VecDeque::new(),
            operator: None,
            words: VecDeque::new(),
            claim: None,
            unknown: BTreeMap::new(),
            repeated: BTreeSet::new(),
            reports: BTreeMap::new(),
            findings: BTreeMap::new(),
            evidence: VecDeque::new(),
            changed_at: Seq(0),
            confidence: None,
            usage: Usage::default(),
            usage_known: true,
        })
    }

    /// The fold of a whole log.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Option<Self>, IllegalEvent> {
        let mut session: Option<Self> = None;
        for event in events {
            Self::advance(&mut session, event)?;
        }
        Ok(session)
    }

    /// Moves on by one event, of which the first creates it.
    pub fn advance(session: &mut Option<Self>, event: &Event) -> Result<(), IllegalEvent> {
        if let Some(session) = session {
            return session.apply(event);
        }
        *session = Some(Self::create(event)?);
        Ok(())
    }

    /// Moves on by one event.
    pub fn apply(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        if event.seq != self.head.next() {
            return Err(IllegalEvent::OutOfOrder { seq: event.seq, head: self.head });
        }
        self.apply_body(event).map_err(|what| IllegalEvent::Unknown {
            seq: event.seq,
            kind: event.body.kind(),
            what,
        })?;
        self.head = event.seq;
        self.updated_at = event.at;
        if let Some(turn) = self.turn.as_mut().filter(|_| is_activity(&event.body)) {
            turn.active_at = event.at;
        }
        Ok(())
    }

    #[expect(clippy::too_many_lines, reason = "one arm per event kind, each a line or a call")]
    fn apply_body(&mut self, event: &Event) -> Result<(), String> {
        match &event.body {
            EventBody::SessionCreated(_) => return Err("the session a second time".to_owned()),
            EventBody::StatusChanged(changed) => self.status_changed(changed, event)?,
            EventBody::AssignmentIssued(issued) => self.assignment_issued(issued, event),
            EventBody::AssignmentRedispatched(_) => self.turn_mut()?.redispatched = true,
            EventBody::ModelRequested(asked) => self.model_requested(asked.round)?,
            EventBody::ModelReplied(replied) => self.model_replied(replied)?,
            EventBody::ModelFailed(_) => self.turn_mut()?.asked = false,
            EventBody::RepairRequested(repair) => self.repair_requested(&repair.problem)?,
            EventBody::ToolIntended(intended) => self.tool_intended(intended, event.fence)?,
            EventBody::ToolReturned(returned) => self.tool_returned(returned, event.seq)?,
            EventBody::ToolRefused(refused) => self.refused(&refused.call, &refused.refusal)?,
            EventBody::CallReissued(reissued) => self.reissued(&reissued.call, event.fence)?,
            EventBody::ProbeRequested(asked) => self.probe_requested(&asked.call)?,
            EventBody::CallProbed(probed) => self.call_probed(&probed.call)?,
            EventBody::ApprovalRequested(asked) => {
                self.call_mut(&asked.call)?.state = CallState::Waiting(asked.approval.clone());
                let pending = PendingApproval { asked: asked.clone(), at: event.at, approved_by: Vec::new() };
                self.approvals.insert(asked.approval.clone(), pending);
            }
            EventBody::ApprovalAnswered(answered) => {
                let pending =
                    self.approvals.get_mut(&answered.approval).ok_or_else(|| answered.approval.to_string())?;
                pending.approved_by.push(answered.by.clone());
            }
            EventBody::ApprovalDecided(decided) => self.approval_decided(decided)?,
            EventBody::ApprovalExpired(expired) => {
                self.forget_approval(&expired.approval)?;
                self.refused(&expired.call, &ToolRefusal::Expired)?;
            }
            EventBody::OutcomeUnknown(unknown) => self.outcome_unknown(&unknown.call, &unknown.cause, event.seq),
            EventBody::OutcomeSettled(settled) => self.outcome_settled(settled, event.seq)?,
            EventBody::ConfidenceEmitted(emitted) => self.confidence = Some(emitted.confidence),
            EventBody::OperatorAsked(asked) => self.operator = Some(asked.clone()),
            EventBody::OperatorSpoke(spoke) => {
                self.operator = None;
                push_bounded(&mut self.words, (spoke.by.clone(), spoke.text.clone()), WORDS_MAX);
            }
            EventBody::AgentFinished(finished) => self.agent_finished(finished, event.seq),
            EventBody::AgentFailed(failed) => self.agent_failed(&failed.failure),
            EventBody::WatchPolled(polled) => {
                let turn = self.turn_mut()?;
                let polls = turn.watch.polls + 1;
                let WatchPolled { streak, met, next_at, assignment: _ } = *polled;
                turn.watch = Watch { polls, streak, met, next_at, read_at: event.at, fence: event.fence };
            }
            EventBody::FieldsPatched(patched) => self.fields_patched(&patched.call, &patched.patch)?,
            EventBody::FindingRecorded(found) => {
                self.findings.insert(found.tool.clone(), Arc::clone(&found.finding));
                self.call_mut(&found.call)?.settle(true, json!({"status": "ok", "content": "recorded"}));
            }
            EventBody::ClaimRaised(raised) => {
                self.claim = Some(OpenClaim {
                    call: raised.call.clone(),
                    by: raised.by.clone(),
                    tool: raised.tool.clone(),
                    args: Arc::clone(&raised.args),
                    effect: None,
                });
            }
            EventBody::ClaimRefused(refused) => {
                self.claim = None;
                if self.call_mut(&refused.call).is_ok() {
                    self.refused(&refused.call, &refused.refusal)?;
                }
            }
            EventBody::LimitReached(_) => {
                self.work_ended(WorkerStatus::Error);
                self.turn = None;
            }
            EventBody::RetryStarted(retry) => {
                self.retries = retry.count;
                self.last_failure = None;
            }
            // Facts for people and for the audit, without a place in the header.
            EventBody::SessionStarted(_)
            | EventBody::GateFired(_)
            | EventBody::ConfidenceMismatched(_)
            | EventBody::RouteDecided(_)
            | EventBody::SignalReceived(_)
            | EventBody::StopRequested(_)
            | EventBody::SessionErased(_) => {}
        }
        Ok(())
    }

    fn turn_mut(&mut self) -> Result<&mut Turn, String> {
        self.turn.as_mut().ok_or_else(|| "an open turn".to_owned())
    }

    pub(super) fn call_mut(&mut self, id: &CallId) -> Result<&mut Call, String> {
        let effect = self.claim.as_mut().and_then(|claim| claim.effect.as_mut());
        let calls = self.turn.as_mut().map(|turn| turn.calls.as_mut_slice()).unwrap_or_default();
        calls.iter_mut().chain(effect).find(|call| call.id == *id).ok_or_else(|| format!("call {id}"))
    }

    fn status_changed(&mut self, changed: &StatusChanged, event: &Event) -> Result<(), String> {
        if *changed.from_status() != self.status {
            return Err(format!("status {}", changed.from_status()));
        }
        if self.status == Status::AwaitingInput
            && let Some(turn) = &mut self.turn
        {
            turn.waited += millis::whole(event.at.since(self.status_at));
        }
        self.status = changed.to_status().clone();
        changed.reason().clone_into(&mut self.status_reason);
        self.status_at = event.at;
        if self.status.is_end() {
            self.work_cut_off(changed);
            self.turn = None;
            self.claim = None;
            self.operator = None;
        }
        Ok(())
    }

    fn assignment_issued(&mut self, issued: &AssignmentIssued, event: &Event) {
        self.assignments = issued.assignment;
        self.last_agent = Some(issued.agent.clone());
        self.work_issued(issued);
        self.turn = Some(Turn {
            assignment: issued.assignment,
            agent: issued.agent.clone(),
            role: issued.role,
            briefing: Arc::clone(&issued.briefing),
            issued_at: event.at,
            active_at: event.at,
            patience: millis::whole(issued.deadline_at.since(event.at)),
            redispatched: false,
            waited: Duration::ZERO,
            history: Vec::new(),
            round: 0,
            asked: false,
            text: "".into(),
            calls: Vec::new(),
            tool_calls: 0,
            repaired: false,
            repeat: (Digest::default(), 0),
            evidence: Vec::new(),
            watch: Watch::default(),
        });
    }

    fn model_requested(&mut self, round: u32) -> Result<(), String> {
        let turn = self.turn_mut()?;
        turn.close_round();
        turn.round = round;
        turn.asked = true;
        Ok(())
    }

    fn model_replied(&mut self, replied: &ModelReplied) -> Result<(), String> {
        self.usage_known &= replied.reply.usage.cost_micro_usd.is_some();
        self.usage = self.usage.plus(replied.reply.usage);
        let turn = self.turn_mut()?;
        turn.asked = false;
        turn.text = Arc::clone(&replied.reply.text);
        turn.calls = replied
            .reply
            .calls
            .iter()
            .enumerate()
            .map(|(index, call)| Call {
                id: CallId::at(replied.assignment, replied.round, index),
                wire: call.tool.clone(),
                args: Arc::clone(&call.args),
                state: CallState::Proposed,
            })
            .collect();
        Ok(())
    }

    fn repair_requested(&mut self, problem: &str) -> Result<(), String> {
        let turn = self.turn_mut()?;
        turn.close_round();
        turn.repaired = true;
        turn.history.push(Message::User { text: problem.into() });
        Ok(())
    }

    fn agent_finished(&mut self, finished: &AgentFinished, seq: Seq) {
        let report = AgentReport {
            signal: finished.envelope.signal.clone(),
            content: finished.envelope.content.clone(),
            confidence: finished.envelope.confidence,
            rationale: finished.envelope.rationale.clone(),
            seq,
            evidence: finished.evidence.clone(),
        };
        self.reports.insert(finished.agent.clone(), report);
        self.work_ended(WorkerStatus::Completed);
        self.turn = None;
    }

    fn agent_failed(&mut self, failure: &AgentFailure) {
        self.last_failure = Some(failure.clone());
        self.work_ended(failure.into());
        self.turn = None;
    }

    fn fields_patched(&mut self, call: &CallId, patch: &Value) -> Result<(), String> {
        let mut fields = (*self.fields).clone();
        if let (Some(fields), Some(patch)) = (fields.as_object_mut(), patch.as_object()) {
            fields.extend(patch.clone());
        }
        self.fields = Arc::new(fields);
        self.call_mut(call)?.settle(true, json!({"status": "ok", "content": patch}));
        Ok(())
    }
}

/// Whether an event shows that the worker of the open assignment is alive. What others say does not.
fn is_activity(body: &EventBody) -> bool {
    !matches!(body, EventBody::SignalReceived(_) | EventBody::ApprovalAnswered(_))
}

pub(super) fn push_bounded<T>(list: &mut VecDeque<T>, item: T, max: usize) {
    if list.len() >= max {
        list.pop_front();
    }
    list.push_back(item);
}
