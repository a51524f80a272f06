//! The supervisor as an actor: what it does with each message.

use std::sync::Arc;

use provost_domain::port::{Parked, StoreError};
use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::load;
use super::messages::{End, SupervisorArguments, ToSupervisor};
use super::state::State;

#[derive(Debug)]
pub(crate) struct Supervisor;

impl Actor for Supervisor {
    type Msg = ToSupervisor;
    type State = State;
    type Arguments = SupervisorArguments;

    async fn pre_start(
        &self,
        myself: ActorRef<ToSupervisor>,
        arguments: SupervisorArguments,
    ) -> Result<State, ActorProcessingErr> {
        let mut state = State::new(arguments);
        if state.is_new() {
            state.begin();
            return Ok(state);
        }
        let (shared, session) = (Arc::clone(&state.shared), state.id());
        let tasks = shared.tasks.clone();
        let work = async move { load::take_over(&shared, session).await };
        tasks.report("taking a session over", &myself, work, |loaded| ToSupervisor::Loaded(Box::new(loaded)));
        Ok(state)
    }

    async fn post_start(&self, myself: ActorRef<ToSupervisor>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.go_on(&myself).await
    }

    async fn handle(
        &self,
        myself: ActorRef<ToSupervisor>,
        message: ToSupervisor,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ToSupervisor::Loaded(loaded) => match *loaded {
                Ok(loaded) => state.loaded(loaded),
                Err(error) => state.fail(&error),
            },
            ToSupervisor::Reports(worker, reports) => state.reported(worker, reports),
            ToSupervisor::Wake => state.read_inbox(&myself),
            ToSupervisor::Inbox(Ok((inbox, wake_seq))) => state.inbox(inbox, wake_seq),
            ToSupervisor::Appended(Ok(_)) => state.appended(),
            ToSupervisor::Parked(Ok(Parked::Parked)) => state.end = Some(End::Rested),
            ToSupervisor::Parked(Ok(Parked::Woken { inbox, wake_seq })) => {
                state.parking = false;
                state.inbox(inbox, wake_seq);
            }
            ToSupervisor::Appended(Err(StoreError::NotClaimed { call, obstacle })) if !state.is_creating() => {
                state.decide_again(call, obstacle);
            }
            ToSupervisor::Inbox(Err(error)) | ToSupervisor::Appended(Err(error)) | ToSupervisor::Parked(Err(error)) => {
                state.fail(&error);
            }
            ToSupervisor::Tick => state.tick(),
            ToSupervisor::Drain => state.draining = true,
        }
        state.go_on_or_end(&myself).await
    }

    /// The end of a worker that was not dismissed is never expected: its assignment is given out again.
    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<ToSupervisor>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(worker, cause) => state.worker_gone(worker.get_id(), cause.to_string()),
            SupervisionEvent::ActorTerminated(worker, _, reason) => {
                state.worker_gone(worker.get_id(), reason.unwrap_or_else(|| "it ended by itself".to_owned()));
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => return Ok(()),
        }
        state.go_on_or_end(&myself).await
    }
}
