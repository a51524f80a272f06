//! The fold of assignments: given out, carried, ended.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::handover::Handover;
use super::header::{AgentReport, Session};
use super::record::{AssignmentRecord, WorkerStatus};
use crate::call::{Call, CallOwner, CallState};
use crate::envelope::{Envelope, signal_word};
use crate::event::{
    AgentFailed, AgentFinished, AssignmentIssued, Event, LimitReached, MeasureRead, ModelDeferred, ModelReplied,
    ModelRequested, RepairRequested, WatchPolled,
};
use crate::ids::{AssignmentId, CallId};
use crate::model::{Message, ModelOrigin};
use crate::outage::Deferral;
use crate::principal::Principal;
use crate::terminal::StatusChanged;
use crate::time::millis;
use crate::work::{Exchange, RequestPin, Turn, Watch, Work, WorkForm, WorkKind};

/// How many of the last assignments are remembered: as many as a session has by default, and a bound on the header.
const RECORDS_MAX: usize = 32;

impl Session {
    pub(super) fn assignment_issued(&mut self, issued: &AssignmentIssued, event: &Event) {
        let AssignmentIssued { assignment, agent, role, work, briefing, deadline_at, measure_from } = issued;
        self.last_assignment = *assignment;
        self.last_agent = Some(agent.clone());
        self.handover = None;
        let record = AssignmentRecord { assignment: *assignment, agent: agent.clone(), status: None };
        push_bounded(&mut self.records, record, RECORDS_MAX);
        let kind = match work {
            WorkForm::Watching => WorkKind::Watching(Watch {
                next_at: *measure_from,
                read_at: event.at,
                fence: event.fence,
                ..Watch::default()
            }),
            WorkForm::Asking => WorkKind::Asking(Turn::default()),
        };
        let work = Work {
            assignment: *assignment,
            agent: agent.clone(),
            role: role.clone(),
            briefing: Arc::clone(briefing),
            active_at: event.at,
            active_fence: event.fence,
            patience: millis::whole(deadline_at.since(event.at)),
            redispatched: false,
            spent: Duration::ZERO,
            calls: Vec::new(),
            tool_calls: 0,
            evidence: Vec::new(),
            findings: 0,
            stated: None,
            kind,
        };
        self.works.insert(*assignment, work);
    }

    pub(super) fn work_mut(&mut self, assignment: AssignmentId) -> Result<&mut Work, String> {
        self.works.get_mut(&assignment).ok_or_else(|| format!("assignment {assignment}"))
    }

    fn turn_mut(&mut self, assignment: AssignmentId) -> Result<&mut Turn, String> {
        match &mut self.work_mut(assignment)?.kind {
            WorkKind::Asking(turn) => Ok(turn),
            WorkKind::Watching(_) => Err(format!("a turn of assignment {assignment}")),
        }
    }

    pub(super) fn redispatched(&mut self, assignment: AssignmentId) -> Result<(), String> {
        self.work_mut(assignment)?.redispatched = true;
        Ok(())
    }

    pub(super) fn model_requested(&mut self, asked: &ModelRequested) -> Result<(), String> {
        self.close_round(asked.assignment)?;
        let turn = self.turn_mut(asked.assignment)?;
        turn.round = asked.round;
        let origin = asked.server.clone().zip(asked.model.clone());
        turn.request = origin
            .zip(asked.body_sha256)
            .map(|((server, model), body_sha256)| RequestPin { origin: ModelOrigin { server, model }, body_sha256 });
        turn.exchange = Exchange::Asked;
        Ok(())
    }

    pub(super) fn model_replied(&mut self, replied: &ModelReplied) -> Result<(), String> {
        if let Some(cost) = replied.reply.usage.cost_micro_usd {
            self.priced_micro_usd = self.priced_micro_usd.saturating_add(cost);
        }
        self.usage = self.usage.plus(replied.reply.usage);
        let turn = self.turn_mut(replied.assignment)?;
        turn.exchange = Exchange::Replied;
        turn.deferral = None;
        turn.text = Arc::clone(&replied.reply.text);
        turn.opaque.clone_from(&replied.reply.opaque);
        for (index, call) in replied.reply.calls.iter().enumerate() {
            self.add_call(
                replied.assignment,
                Call {
                    id: CallId::at(replied.assignment, replied.round, index),
                    owner: CallOwner::Work(replied.assignment),
                    wire: call.tool.clone(),
                    args: Arc::clone(&call.args),
                    state: CallState::Proposed,
                },
            )?;
        }
        Ok(())
    }

    /// A turn as its next question will find it: the present round settled into the history.
    pub(crate) fn turn_to_ask(&self, work: &Work) -> Option<Turn> {
        let mut turn = work.turn()?.clone();
        turn.close_round(self.calls_of(work).cloned().collect());
        turn.round += 1;
        Some(turn)
    }

    pub(super) fn model_failed(&mut self, assignment: AssignmentId) -> Result<(), String> {
        let turn = self.turn_mut(assignment)?;
        turn.exchange = Exchange::Ready;
        turn.deferral = None;
        Ok(())
    }

    pub(super) fn model_deferred(&mut self, deferred: &ModelDeferred, event: &Event) -> Result<(), String> {
        let ModelDeferred { assignment, round, failure, attempt, waiting_since, next_at, budget_ends_at } = deferred;
        let turn = self.turn_mut(*assignment)?;
        if !turn.is_asked() || turn.round != *round {
            return Err(format!("round {round} of assignment {assignment}, which is not asked"));
        }
        turn.deferral = Some(Box::new(Deferral {
            attempt: *attempt,
            waiting_since: *waiting_since,
            deferred_at: event.at,
            fence: event.fence,
            next_at: *next_at,
            budget_ends_at: *budget_ends_at,
            why: Deferral::words(&failure.to_string()),
        }));
        Ok(())
    }

    pub(super) fn repair_requested(&mut self, repair: &RepairRequested) -> Result<(), String> {
        self.close_round(repair.assignment)?;
        let turn = self.turn_mut(repair.assignment)?;
        turn.exchange = Exchange::Ready;
        turn.repaired = true;
        turn.history.push(Message::User { text: repair.problem.as_str().into() });
        Ok(())
    }

    /// Adds a call that a work waits for.
    pub(super) fn add_call(&mut self, assignment: AssignmentId, call: Call) -> Result<(), String> {
        self.work_mut(assignment)?.calls.push(call.id.clone());
        self.calls.insert(call.id.clone(), call);
        Ok(())
    }

    /// Takes a work's calls out of the map, in their order.
    pub(super) fn take_calls(&mut self, assignment: AssignmentId) -> Result<Vec<Call>, String> {
        let ids = std::mem::take(&mut self.work_mut(assignment)?.calls);
        Ok(ids.iter().filter_map(|id| self.calls.remove(id)).collect())
    }

    /// Moves the round's calls from the map into the turn's history.
    fn close_round(&mut self, assignment: AssignmentId) -> Result<(), String> {
        let calls = self.take_calls(assignment)?;
        self.turn_mut(assignment)?.close_round(calls);
        Ok(())
    }

    pub(super) fn watch_polled(&mut self, polled: &WatchPolled, event: &Event) -> Result<(), String> {
        let WatchPolled { assignment, streak, met, next_at } = *polled;
        let WorkKind::Watching(watch) = &mut self.work_mut(assignment)?.kind else {
            return Err(format!("a watch of assignment {assignment}"));
        };
        (watch.next_at, watch.read_at, watch.fence) = (next_at, event.at, event.fence);
        watch.measured(met, streak);
        Ok(())
    }

    pub(super) fn measure_read(&mut self, read: &MeasureRead) -> Result<(), String> {
        let WorkKind::Watching(watch) = &mut self.work_mut(read.assignment)?.kind else {
            return Err(format!("a watch of assignment {}", read.assignment));
        };
        watch.readings.entry(read.measure.clone()).or_default().put(read.time, read.value);
        Ok(())
    }

    pub(super) fn agent_finished(&mut self, finished: &AgentFinished, event: &Event) {
        let report = AgentReport {
            signal: finished.envelope.signal.clone().or_else(|| unmatched(&finished.envelope)),
            content: finished.envelope.content.clone(),
            confidence: finished.envelope.confidence,
            rationale: finished.envelope.rationale.clone(),
            report: finished.envelope.report.clone(),
            seq: event.seq,
            evidence: finished.evidence.clone(),
        };
        self.reports.insert(finished.agent.clone(), report);
        self.handover = Some(Handover::Route(finished.agent.clone()));
        self.close_work(finished.assignment, WorkerStatus::Completed);
    }

    pub(super) fn agent_failed(&mut self, failed: &AgentFailed) {
        self.last_failure = Some(failed.failure.clone());
        // Nothing is tried again on top of what may have happened.
        self.handover = self.unknown.is_empty().then_some(Handover::Recover);
        self.close_work(failed.assignment, (&failed.failure).into());
    }

    /// A limit ends the work it names; logs of before that did not name it had one work at a time.
    pub(super) fn limit_reached(&mut self, limit: &LimitReached) {
        let reached = limit.assignment.or_else(|| self.newest_work().map(|work| work.assignment));
        if let Some(assignment) = reached {
            self.close_work(assignment, WorkerStatus::Error);
        }
    }

    fn close_work(&mut self, assignment: AssignmentId, status: WorkerStatus) {
        self.works.remove(&assignment);
        self.calls.retain(|_, call| call.owner != CallOwner::Work(assignment));
        self.editors.retain(|call, _| call.assignment() != Some(assignment));
        self.forget_unused();
        let record = self.records.iter_mut().find(|record| record.assignment == assignment);
        if let Some(record) = record.filter(|record| record.status.is_none()) {
            record.status = Some(status);
        }
    }

    /// The session ended with works still open. An agent that closed the session itself has done its work.
    pub(super) fn cut_off(&mut self, changed: &StatusChanged) {
        let ends: Vec<_> = self.works.values().map(|work| (work.assignment, end_of(work, changed))).collect();
        for (assignment, status) in ends {
            self.close_work(assignment, status);
        }
        self.calls.clear();
        self.editors.clear();
        self.forget_unused();
    }

    /// An approval goes with its call.
    pub(super) fn forget_unused(&mut self) {
        let Self { unused, calls, .. } = self;
        unused.retain(|call, _| calls.contains_key(call));
    }
}

/// What names no route is kept as a word: the record shows it, and no route fits it.
fn unmatched(envelope: &Envelope) -> Option<String> {
    envelope.unmatched.as_deref().and_then(signal_word)
}

fn end_of(work: &Work, changed: &StatusChanged) -> WorkerStatus {
    if *changed.by() == Principal::Agent(work.agent.clone()) {
        WorkerStatus::Completed
    } else if work.has_begun() {
        WorkerStatus::Error
    } else {
        WorkerStatus::NotRun
    }
}

/// Adds to a list of bounded length, dropping the oldest.
pub(super) fn push_bounded<T>(list: &mut VecDeque<T>, item: T, max: usize) {
    if list.len() >= max {
        list.pop_front();
    }
    list.push_back(item);
}
