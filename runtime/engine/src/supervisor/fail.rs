//! What follows when the store or a worker fails.

use provost_domain::command::Report;
use provost_domain::port::StoreError;
use ractor::ActorId;

use super::messages::{Answerer, Boot, End, Input};
use super::state::State;
use crate::error::EngineError;

impl State {
    /// The store said no: nothing of this state can be trusted any more. Waiting callers are told, the log decides.
    pub(super) fn fail(&mut self, error: &StoreError) {
        if let StoreError::Damaged { .. } = error {
            tracing::error!(session = %self.id(), %error, "the session cannot be carried on");
            self.shared.damaged(self.id(), error);
        } else {
            tracing::warn!(session = %self.id(), %error, "the session is carried on later");
        }
        let answers = self.batch.take().into_iter().flat_map(|batch| batch.inputs).filter_map(Input::answerer);
        let queued = self.inputs.drain(..).filter_map(Input::answerer);
        for reply in answers.chain(queued).chain(self.boot.take().and_then(answerer)) {
            drop(reply.send(Err(EngineError::Store(error.clone()))));
        }
        self.performing.dismiss_all();
        self.end = Some(match error {
            // A claim is only missed here where nothing can be decided again.
            StoreError::Stale | StoreError::NotClaimed { .. } | StoreError::Failed { .. } | StoreError::Held { .. } => {
                End::Again
            }
            // Somebody else carries it, or nobody can.
            StoreError::Fenced
            | StoreError::Missing { .. }
            | StoreError::Erased { .. }
            | StoreError::Damaged { .. } => End::Rested,
        });
    }

    pub(super) fn worker_gone(&mut self, worker: ActorId, cause: String) {
        if let Some(assignment) = self.performing.gone(worker) {
            self.inputs.push_back(Input::Report(Report::WorkerLost { assignment, cause }));
        }
    }
}

fn answerer(boot: Boot) -> Option<Answerer> {
    match boot {
        Boot::Create { reply, .. } => Some(reply),
        Boot::Asked | Boot::Wake | Boot::GiveUp(_) => None,
    }
}
