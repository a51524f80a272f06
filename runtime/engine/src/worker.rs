//! A worker: carries one assignment. It performs what its supervisor passes on and reports; it writes nothing.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use provost_domain::command::Report;
use provost_domain::failure::{FailureKind, ModelFailure};
use provost_domain::ids::{AssignmentId, Digest};
use provost_domain::model::{Message, ModelRequest};
use provost_domain::tool::{Happened, ProbeAnswer, ToolFailure, ToolOutcome};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::gateway::{Inquiry, Permit};
use crate::gear::Gear;
use crate::shared::Shared;
use crate::supervisor::ToSupervisor;

/// What a worker is told to perform.
#[derive(Debug)]
pub(crate) enum ToWorker {
    /// Ask the model; report the reply within this time.
    Ask(Box<ModelRequest>, Duration),
    /// Make a permitted call; report the outcome.
    Call(Permit),
    /// Ask the tool whether a call happened; report what it says.
    Probe(Inquiry),
}

/// What a worker is started with.
#[derive(Debug)]
pub(crate) struct WorkerArguments {
    pub(crate) shared: Arc<Shared>,
    pub(crate) gear: Arc<Gear>,
    pub(crate) supervisor: ActorRef<ToSupervisor>,
    pub(crate) assignment: AssignmentId,
    /// Cancels everything it has under way; its supervisor holds it too, for a worker that does not listen any more.
    pub(crate) cancelled: CancellationToken,
}

/// Running worker. What it has under way goes with it.
#[derive(Debug)]
pub(crate) struct WorkerState {
    arguments: WorkerArguments,
}

impl Drop for WorkerState {
    fn drop(&mut self) {
        self.arguments.cancelled.cancel();
    }
}

#[derive(Debug)]
pub(crate) struct Worker;

impl Actor for Worker {
    type Msg = ToWorker;
    type State = WorkerState;
    type Arguments = WorkerArguments;

    async fn pre_start(
        &self,
        _myself: ActorRef<ToWorker>,
        arguments: WorkerArguments,
    ) -> Result<WorkerState, ActorProcessingErr> {
        Ok(WorkerState { arguments })
    }

    /// Starts a child task that reports by itself: a handler never waits for the world.
    async fn handle(
        &self,
        myself: ActorRef<ToWorker>,
        message: ToWorker,
        state: &mut WorkerState,
    ) -> Result<(), ActorProcessingErr> {
        let shared = Arc::clone(&state.arguments.shared);
        let gear = Arc::clone(&state.arguments.gear);
        let supervisor = state.arguments.supervisor.clone();
        let assignment = state.arguments.assignment;
        let cancelled = state.arguments.cancelled.clone();
        let (tasks, id) = (shared.tasks.clone(), myself.get_id());
        drop(tasks.spawn(async move {
            let work = perform(&shared, &gear, assignment, message);
            let Some(report) = cancelled.run_until_cancelled(work).await else { return };
            // A supervisor that is gone has left its session to be recovered from the log.
            drop(supervisor.cast(ToSupervisor::Report(id, report)));
        }));
        Ok(())
    }
}

/// A provider or tool that panics has failed like any other: somebody waits for its report.
async fn perform(shared: &Shared, gear: &Gear, assignment: AssignmentId, message: ToWorker) -> Report {
    match message {
        ToWorker::Ask(mut request, within) => {
            let round = request.round;
            let asking = async {
                resolve(shared, &mut request.messages).await?;
                gear.models.ask(&request, within).await
            };
            let result = AssertUnwindSafe(asking).catch_unwind().await;
            let result = result.unwrap_or_else(|_panic| Err(ModelFailure::Unavailable { detail: PANICKED.to_owned() }));
            shared.meters.asked(&request.model, &result);
            Report::Replied { assignment, round, result }
        }
        ToWorker::Call(permit) => {
            let outcome = AssertUnwindSafe(gear.tools.call(&permit)).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_panic| ToolOutcome::Failed { failure: panicked() });
            shared.meters.called(&permit.call().tool, &outcome);
            Report::Returned { call: permit.call().call.clone(), outcome }
        }
        #[cfg(feature = "controls")]
        ToWorker::Probe(inquiry) if shared.settings.removed == Some(crate::Removed::Probe) => {
            Report::Probed { call: inquiry.call().call.clone(), answer: ProbeAnswer::DidNotHappen }
        }
        ToWorker::Probe(inquiry) => {
            let answer = AssertUnwindSafe(gear.tools.probe(&inquiry)).catch_unwind().await;
            let answer = answer.unwrap_or_else(|_panic| ProbeAnswer::CannotTell { detail: PANICKED.to_owned() });
            Report::Probed { call: inquiry.call().call.clone(), answer }
        }
    }
}

/// The panic itself is in the process's log.
const PANICKED: &str = "it panicked; see the log of this process";

fn panicked() -> ToolFailure {
    ToolFailure {
        kind: FailureKind::Permanent,
        happened: Happened::Maybe,
        detail: PANICKED.to_owned(),
        exit: None,
        signal: None,
        timeout_ms: None,
    }
}

/// Puts large results, which events only name, into the messages that show them.
async fn resolve(shared: &Shared, messages: &mut [Message]) -> Result<(), ModelFailure> {
    let unreadable = |detail: String| ModelFailure::Unavailable { detail };
    for message in messages {
        let Message::Tool { result, .. } = message else { continue };
        let Some(stored) = result.get("stored").and_then(Value::as_str) else { continue };
        let digest: Digest =
            stored.parse().map_err(|error: provost_domain::ids::BadId| unreadable(error.to_string()))?;
        let bytes = shared.ports.reads.content(digest).await.map_err(|error| unreadable(error.to_string()))?;
        let content: Value = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
        let mut shown = (**result).clone();
        if let Some(shown) = shown.as_object_mut() {
            shown.remove("stored");
            shown.insert("content".to_owned(), content);
        }
        *result = Arc::new(shown);
    }
    Ok(())
}
