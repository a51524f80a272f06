//! What a supervisor is told, started with, and answers.

use std::sync::Arc;

use provost_domain::command::{Command, Report};
use provost_domain::decide::Accepted;
use provost_domain::event::SessionCreated;
use provost_domain::ids::CmdId;
use provost_domain::port::{Appended, InboxEntry, Parked, StoreError, UnreadableCommand};
use ractor::ActorId;
use tokio::sync::oneshot;

use super::load::LoadedSession;
use crate::error::EngineError;
use crate::parts::EngineParts;
use crate::registry::SessionGuard;

/// What a supervisor is started with.
#[derive(Debug)]
pub(crate) struct SupervisorArguments {
    pub(crate) shared: Arc<EngineParts>,
    /// The right to carry the session: given back when the actor's state is dropped, however the actor ends.
    pub(crate) guard: SessionGuard,
    pub(crate) boot: Boot,
}

/// What a session's supervisor is told.
#[derive(Debug)]
pub(crate) enum ToSupervisor {
    /// The session was taken over and loaded, or could not be.
    Loaded(Box<Result<LoadedSession, StoreError>>),
    /// From the worker of this id: what it has to report at one time.
    Reports(ActorId, Vec<Report>),
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
    /// A command that starts work came into the inbox.
    Asked,
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
    /// What stands in the inbox and cannot be read: settled as refused.
    Unreadable(CmdId, UnreadableCommand),
}

impl Input {
    /// Who waits for a direct answer.
    pub(crate) fn answerer(self) -> Option<Answerer> {
        match self {
            Self::Create(_, reply) | Self::Direct(_, reply) => reply,
            Self::Report(_) | Self::Inbox(..) | Self::Unreadable(..) => None,
        }
    }
}
