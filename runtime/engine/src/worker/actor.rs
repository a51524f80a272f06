//! The worker as an actor: a handler never waits for the world.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef};

use super::messages::{ToWorker, WorkerArguments};
use super::work::{Performer, perform};
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
        let WorkerArguments { shared, resources, supervisor, assignment, cancelled } = &state.arguments;
        let performer = Performer { shared: Arc::clone(shared), resources: Arc::clone(resources) };
        let (name, id) = (message.task(), myself.get_id());
        let works = perform(&performer, *assignment, message);
        // A supervisor that is gone has left its session to be recovered from the log.
        let message = move |reports| ToSupervisor::Reports(id, reports);
        shared.tasks.report_unless((name, cancelled), supervisor, works, message);
        Ok(())
    }
}
