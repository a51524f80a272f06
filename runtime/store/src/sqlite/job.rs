//! What the writing task is asked for, and whom it answers.

use provost_domain::ids::{CmdId, Owner, SessionId};
use provost_domain::port::{
    Append, Appended, ImportAnswer, ImportedSession, InboxEntry, NewDelivery, NewSession, Park, Parked, StoreError,
    Submitted,
};
use tokio::sync::oneshot;

use super::session_row::Stored;
use super::statement::Statement;

/// A request and whom to answer once it is durable.
#[derive(Debug)]
pub(super) struct Asked<Q, A> {
    pub(super) request: Q,
    reply: oneshot::Sender<Result<A, StoreError>>,
}

impl<Q, A> Asked<Q, A> {
    /// A request, and where its answer will come.
    pub(super) fn new(request: Q) -> (Self, oneshot::Receiver<Result<A, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Self { request, reply }, answer)
    }

    /// A caller that stopped waiting learns what came of it from the store when it asks again.
    pub(super) fn answer(self, result: Result<A, StoreError>) {
        drop(self.reply.send(result));
    }
}

#[derive(Debug)]
pub(super) struct TakeOver {
    pub(super) session: SessionId,
    pub(super) owner: Owner,
}

#[derive(Debug)]
pub(super) struct Submission {
    pub(super) session: SessionId,
    pub(super) cmd_id: CmdId,
    /// As JSON.
    pub(super) command: String,
}

/// A session just taken over, its log not yet read.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) stored: Stored,
    pub(super) inbox: Vec<InboxEntry>,
}

/// One write.
#[derive(Debug)]
pub(super) enum Job {
    Create(Asked<NewSession, ()>),
    TakeOver(Asked<TakeOver, Taken>),
    Append(Asked<Box<Append>, Appended>),
    Import(Asked<Box<ImportedSession>, ImportAnswer>),
    Submit(Asked<Submission, Submitted>),
    Park(Asked<Park, Parked>),
    Deliver(Asked<NewDelivery, ()>),
    /// Statements that belong together, answered with the rows the last one changed.
    Execute(Asked<Vec<Statement>, u64>),
    /// Rewriting the files, in no transaction.
    Scrub(Asked<(), ()>),
}

impl Job {
    /// The session whose row it changes, if any.
    pub(super) fn session(&self) -> Option<SessionId> {
        match self {
            Self::Create(asked) => Some(asked.request.id),
            Self::TakeOver(asked) => Some(asked.request.session),
            Self::Append(asked) => Some(asked.request.session),
            Self::Import(asked) => Some(asked.request.row.id),
            Self::Submit(asked) => Some(asked.request.session),
            Self::Park(asked) => Some(asked.request.session),
            Self::Deliver(_) | Self::Execute(_) | Self::Scrub(_) => None,
        }
    }

    pub(super) fn refuse(self, error: &StoreError) {
        let error = error.clone();
        match self {
            Self::Create(asked) => asked.answer(Err(error)),
            Self::TakeOver(asked) => asked.answer(Err(error)),
            Self::Append(asked) => asked.answer(Err(error)),
            Self::Import(asked) => asked.answer(Err(error)),
            Self::Submit(asked) => asked.answer(Err(error)),
            Self::Park(asked) => asked.answer(Err(error)),
            Self::Deliver(asked) => asked.answer(Err(error)),
            Self::Execute(asked) => asked.answer(Err(error)),
            Self::Scrub(asked) => asked.answer(Err(error)),
        }
    }
}
