//! What the session's own side reports.

use super::draft::{Draft, Recorder, runtime};
use super::outage::{self, OutageAnswer};
use super::{answer, call, fail, inputs, round, stop, watch};
use crate::call::{Call, CallOwner, CallState, Intent};
use crate::event::{
    AssignmentRedispatched, CallProbed, CallReissued, ModelReplied, OutcomeUnknown, ProbeFinding, ProbeRequested,
    ToolReturned,
};
use crate::failure::{AgentFailure, ModelFailure};
use crate::ids::{AssignmentId, CallId};
use crate::model::ModelReply;
use crate::recovery::{Plan, plan};
use crate::session::{Owed, Session, owed};
use crate::terminal::FrameworkStatus;
use crate::tool::{Happened, ProbeAnswer, RecordedOutcome, ToolOutcome};
use crate::work::{Turn, Work};

/// Plans every call that was intended under an older fence, and puts every outstanding question again.
pub(super) fn taken_over(draft: &mut Draft<'_>) {
    if draft.session.status().is_end() {
        return tick(draft);
    }
    inputs::note(draft);
    let asking = |work: &Work| work.turn().is_some_and(Turn::is_asked).then_some(work.assignment);
    let outstanding: Vec<_> = draft.session.works().values().filter_map(asking).collect();
    let in_doubt: Vec<_> = owed(&draft.session, draft.facts.fence)
        .into_iter()
        .filter_map(|owed| match owed {
            Owed::InDoubt(call) => call.intent().map(|intent| (call.id.clone(), planned(intent))),
            Owed::AskModel { .. } | Owed::Run(_) | Owed::Paused(_) | Owed::Probe(_) | Owed::Poll { .. } => None,
        })
        .collect();
    for (call, plan) in in_doubt {
        doubt(draft, call, plan, "the process ended while this call was being made");
    }
    for assignment in outstanding {
        round::again(draft, assignment);
    }
    tick(draft);
}

fn planned(intent: &Intent) -> Plan {
    plan(intent.effect, intent.probes)
}

/// One call whose end nobody saw: again, its tool, or a person.
fn doubt(draft: &mut Draft<'_>, call: CallId, plan: Plan, cause: &str) {
    let cause = cause.to_owned();
    match plan {
        Plan::RunAgain => draft.push(CallReissued { call }),
        Plan::Probe => draft.push(ProbeRequested { call, cause }),
        Plan::AskPerson => draft.push(OutcomeUnknown { call, cause }),
    }
}

pub(super) fn replied(
    draft: &mut Draft<'_>,
    assignment: AssignmentId,
    round: u32,
    result: Result<ModelReply, ModelFailure>,
) {
    let turn = draft.session.works().get(&assignment).and_then(Work::turn);
    if !turn.is_some_and(|turn| turn.round == round && turn.is_asked()) {
        return;
    }
    match result {
        Ok(reply) => {
            let (reply, contents) = reply.bounded().split();
            for content in contents {
                draft.keep(Some(content));
            }
            draft.push(ModelReplied { assignment, round, reply });
            call::propose_all(draft, assignment);
        }
        Err(failure) => outage::of_model(draft, assignment, round, failure),
    }
}

pub(super) fn returned(draft: &mut Draft<'_>, id: &CallId, outcome: ToolOutcome) {
    let in_doubt = draft.session.unknown().contains_key(id);
    let intent = draft.session.call(id).and_then(|call| match &call.state {
        CallState::Intended(intent) | CallState::Probing(intent) | CallState::Unknown(intent) => Some(intent.clone()),
        CallState::Proposed | CallState::Waiting(_) | CallState::Approved(_) | CallState::Settled(_) => None,
    });
    if intent.is_none() && !in_doubt {
        return;
    }
    let plan = intent.as_ref().map_or(Plan::AskPerson, planned);
    let known = known_of(&draft.session, id, outcome);
    if let Some(cause) = lost(&known).filter(|_| plan != Plan::RunAgain) {
        // What is asked about already, of the tool or of a person, stays so.
        if draft.session.call(id).is_some_and(|call| call.intent().is_some()) {
            doubt(draft, id.clone(), plan, cause);
        }
        return;
    }
    match outage::of_tool(draft, id, plan, known) {
        OutageAnswer::Waits => {}
        OutageAnswer::Over(known) => record(draft, id, known),
    }
}

/// What an outcome says of the call, and not only of its last attempt.
fn known_of(session: &Session, id: &CallId, outcome: ToolOutcome) -> ToolOutcome {
    let outcome = outcome.bounded();
    if session.may_have_happened_before(id) { outcome.after_a_lost_attempt() } else { outcome }
}

/// Records what is known of a call.
fn record(draft: &mut Draft<'_>, id: &CallId, known: ToolOutcome) {
    let measured = polled(&draft.session, id).map(|assignment| (assignment, known.clone()));
    let (recorded, content) = RecordedOutcome::of(known);
    draft.keep(content);
    draft.push(ToolReturned { call: id.clone(), outcome: recorded });
    if let Some((assignment, known)) = measured {
        watch::measure(draft, assignment, id, &known);
    }
}

/// The measurement a call was made for.
fn polled(session: &Session, id: &CallId) -> Option<AssignmentId> {
    match session.call(id)?.owner {
        CallOwner::Work(assignment) => session.works().get(&assignment)?.watch().map(|_| assignment),
        CallOwner::Claim => None,
    }
}

/// What a tool said of a call that is asked about: its outcome, once more, or a person.
pub(super) fn probed(draft: &mut Draft<'_>, id: &CallId, answer: ProbeAnswer) {
    if draft.session.call(id).is_none_or(|call| call.probing().is_none()) {
        return;
    }
    let call = id.clone();
    match known(answer) {
        ProbeAnswer::Happened { outcome } => {
            draft.push(CallProbed { call, finding: ProbeFinding::Happened });
            let known = known_of(&draft.session, id, outcome);
            record(draft, id, known);
        }
        ProbeAnswer::DidNotHappen => {
            draft.push(CallProbed { call: call.clone(), finding: ProbeFinding::DidNotHappen });
            draft.push(CallReissued { call });
        }
        ProbeAnswer::CannotTell { detail } => {
            let finding = ProbeFinding::CannotTell { detail: detail.clone() };
            draft.push(CallProbed { call: call.clone(), finding });
            draft.push(OutcomeUnknown { call, cause: detail });
        }
    }
}

/// An answer that itself leaves open whether the call happened is none.
fn known(answer: ProbeAnswer) -> ProbeAnswer {
    match &answer {
        ProbeAnswer::Happened { outcome } => {
            lost(outcome).map(|detail| ProbeAnswer::CannotTell { detail: detail.to_owned() }).unwrap_or(answer)
        }
        ProbeAnswer::DidNotHappen | ProbeAnswer::CannotTell { .. } => answer,
    }
}

/// A failure after which nobody knows whether the effect happened, in words.
fn lost(outcome: &ToolOutcome) -> Option<&str> {
    match outcome {
        ToolOutcome::Failed { failure } if failure.happened == Happened::Maybe => Some(&failure.detail),
        ToolOutcome::Failed { .. }
        | ToolOutcome::Ok { .. }
        | ToolOutcome::Empty { .. }
        | ToolOutcome::Truncated { .. }
        | ToolOutcome::Partial { .. } => None,
    }
}

/// Expiries, polls and silence.
pub(super) fn tick(draft: &mut Draft<'_>) {
    answer::expire(draft);
    outage::make_due(draft);
    if draft.session.claim().is_some() {
        return;
    }
    watch::tick(draft);
    if owed(&draft.session, draft.facts.fence).is_empty() {
        return;
    }
    let silent_at = |work: &Work| draft.session.silent_at(work, draft.facts.fence, draft.facts.since);
    let silent = |work: &&Work| work.turn().is_some() && draft.facts.now >= silent_at(work);
    let silent: Vec<Work> = draft.session.works().values().filter(silent).cloned().collect();
    for work in silent {
        let deadline_ms = u64::try_from(work.patience.as_millis()).unwrap_or(u64::MAX);
        let failure = AgentFailure::Silent { deadline_ms };
        redispatch(draft, &work, &format!("nothing was recorded within {deadline_ms} ms"), failure);
    }
}

pub(super) fn worker_lost(draft: &mut Draft<'_>, assignment: AssignmentId, cause: &str) {
    match draft.session.works().get(&assignment).cloned() {
        Some(work) => redispatch(draft, &work, cause, AgentFailure::WorkerLost { detail: cause.to_owned() }),
        // It made the call of a person's claim.
        None if draft.session.works().is_empty() => doubt_all(draft, None, cause),
        None => {}
    }
}

/// The calls that a worker had under way are in doubt as after a crash: those of its work, and a claim's effect. A tool that
/// was to be asked is simply asked again.
fn doubt_all(draft: &mut Draft<'_>, of: Option<AssignmentId>, cause: &str) {
    let carried = |call: &&Call| match call.owner {
        CallOwner::Work(assignment) => Some(assignment) == of,
        CallOwner::Claim => true,
    };
    let under_way = |call: &&Call| call.is_running() && call.pausing().is_none();
    let lost = draft.session.open_calls().filter(under_way).filter(carried);
    let lost: Vec<_> = lost.map(|call| (call.id.clone(), call.intent().map(planned))).collect();
    for (id, plan) in lost {
        if let Some(plan) = plan {
            doubt(draft, id, plan, cause);
        }
    }
}

/// Gives the assignment out again, byte for byte, once. Calls under way are in doubt as after a crash.
fn redispatch(draft: &mut Draft<'_>, work: &Work, cause: &str, failure: AgentFailure) {
    let assignment = work.assignment;
    let deadline_at = draft.facts.now.plus(work.patience);
    if work.redispatched {
        return fail::agent(draft, assignment, failure);
    }
    doubt_all(draft, Some(assignment), cause);
    draft.push(AssignmentRedispatched { assignment, cause: cause.to_owned(), deadline_at });
    round::again(draft, assignment);
}

/// Ends the run as `error`: nothing of it is tried again before a person has looked.
pub(super) fn given_up(recorder: &mut Recorder, cause: &str) {
    if recorder.session.status().is_end() {
        return;
    }
    stop::abandon(recorder, &runtime(), "the session was given up while this call was being made");
    recorder.set_status(FrameworkStatus::Error, cause, &runtime());
}
