//! The worker as an actor: a handler never waits for the world.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::messages::{ToWorker, WorkerArguments};
use super::work::perform;
use crate::supervisor::ToSupervisor;

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

    /// Starts a task that reports by itself.
    async fn handle(
        &self,
        myself: ActorRef<ToWorker>,
        message: ToWorker,
        state: &mut WorkerState,
    ) -> Result<(), ActorProcessingErr> {
        let shared = Arc::clone(&state.arguments.shared);
        let resources = Arc::clone(&state.arguments.resources);
        let supervisor = state.arguments.supervisor.clone();
        let assignment = state.arguments.assignment;
        let cancelled = state.arguments.cancelled.clone();
        let (tasks, id) = (shared.tasks.clone(), myself.get_id());
        let name = message.task();
        let work = async move { perform(&shared, &resources, assignment, message).await };
        // A supervisor that is gone has left its session to be recovered from the log.
        tasks.report_unless((name, &cancelled), &supervisor, work, move |report| ToSupervisor::Report(id, report));
        Ok(())
    }
}
