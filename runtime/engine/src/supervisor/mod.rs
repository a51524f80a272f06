//! The session supervisor: holds one session, is the only writer of its log, and performs what is owed.
//!
//! | what it does | where it is decided |
//! |---|---|
//! | takes inputs in turn, decides, appends, then performs | the domain's `decide` and `owed` |
//! | parks when only waits remain | the store, conditional on the `wake_seq` seen |
//!
//! Decisions are applied to the folded state at once, but nothing is performed and nobody is answered before the append
//! that holds them is durable. If an append fails the state is dropped and the actor ends: the log is the truth.

mod append;
mod load;
mod perform;
mod state;

use std::sync::Arc;

use provost_domain::command::{Command, Report};
use provost_domain::decide::Accepted;
use provost_domain::event::SessionCreated;
use provost_domain::ids::{CmdId, SessionId};
use provost_domain::port::{Appended, InboxEntry, Parked, StoreError};
use provost_domain::refusal::Refusal;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::oneshot;

use crate::api::EngineError;
use crate::shared::Shared;
use load::Loaded;
use state::State;

/// What a session's supervisor is told.
#[derive(Debug)]
pub(crate) enum ToSupervisor {
    /// The session was taken over and loaded, or could not be.
    Loaded(Box<Result<Loaded, StoreError>>),
    /// From the worker of this id.
    Report(ActorId, Report),
    /// A command came into the inbox.
    Wake,
    /// The inbox was read.
    Inbox(Result<(Vec<InboxEntry>, u64), StoreError>),
    /// The append under way ended.
    Appended(Result<Appended, StoreError>),
    /// Parking ended.
    Parked(Result<Parked, StoreError>),
    /// The next timer is due.
    Tick,
    /// Finish what was begun, ask nothing new, then end.
    Drain,
}

/// Why a supervisor was started.
#[derive(Debug)]
pub(crate) enum Boot {
    /// A new session: its first event, and the command that starts it. Its row is stored with its first append.
    Create {
        /// The first event.
        created: Box<SessionCreated>,
        /// One line about it, for lists.
        title: String,
        /// The command that starts it, if it starts at once.
        start: Option<Command>,
        /// Answered once durable.
        reply: Answerer,
    },
    /// A command that starts work.
    Command {
        /// The command.
        command: Box<Command>,
        /// Answered once durable.
        reply: Answerer,
    },
    /// Something waits in the log: a command, a timer, work a dead process left.
    Wake,
    /// Carrying it failed too often: it ends with this cause, for a person to look at.
    GiveUp(String),
}

/// How a supervisor ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Nothing is left to do here.
    Rested,
    /// The storage failed: the log says later what is left to do.
    Again,
}

impl End {
    /// As the actor's reason to stop, which the node reads.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Rested => "rested",
            Self::Again => "again",
        }
    }
}

/// Where a direct answer goes.
pub(crate) type Answerer = oneshot::Sender<Result<Accepted, EngineError>>;

/// An input in its turn.
#[derive(Debug)]
pub(crate) enum Input {
    /// The first event of a new session; answered when no command follows.
    Create(Box<SessionCreated>, Option<Answerer>),
    /// From the session's own side.
    Report(Report),
    /// A command with a direct answer.
    Direct(Box<Command>, Option<Answerer>),
    /// A command from the inbox, settled with its append.
    Inbox(CmdId, Box<Command>),
}

/// What became of a command, as stored with it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Settled {
    /// It was done.
    Accepted(Accepted),
    /// It was refused.
    Refused(Refusal),
}

#[derive(Debug)]
pub(crate) struct Supervisor;

/// What a supervisor is started with.
#[derive(Debug)]
pub(crate) struct SupervisorArguments {
    pub(crate) shared: Arc<Shared>,
    pub(crate) session: SessionId,
    pub(crate) boot: Boot,
}

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
        let (shared, session) = (Arc::clone(&state.shared), state.id);
        let tasks = shared.tasks.clone();
        drop(tasks.spawn(async move {
            let loaded = load::take_over(&shared, session).await;
            drop(myself.cast(ToSupervisor::Loaded(Box::new(loaded))));
        }));
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
            ToSupervisor::Report(worker, report) => state.reported(worker, report),
            ToSupervisor::Wake => state.read_inbox(&myself),
            ToSupervisor::Inbox(Ok((inbox, wake_seq))) => state.inbox(inbox, wake_seq),
            ToSupervisor::Appended(Ok(_)) => state.appended(),
            ToSupervisor::Parked(Ok(Parked::Parked)) => state.end = Some(End::Rested),
            ToSupervisor::Parked(Ok(Parked::Woken { inbox, wake_seq })) => {
                state.parking = false;
                state.inbox(inbox, wake_seq);
            }
            ToSupervisor::Inbox(Err(error)) | ToSupervisor::Appended(Err(error)) | ToSupervisor::Parked(Err(error)) => {
                state.fail(&error);
            }
            ToSupervisor::Tick => state.report(Report::Tick),
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
