//! SQLite: one writer that drains a queue into group commits, and readers that never wait for it.

mod append;
mod open;
mod reads;
mod rows;
mod writer;
mod writes;

use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::command::Command;
use provost_domain::ids::{CmdId, Handle, Owner, SessionId};
use provost_domain::port::{
    Append, Appended, Claimed, CommandLog, CommandOutcome, InboxEntry, NewSession, Park, Parked, SessionStore,
    StoreError, Submitted, TakenOver,
};
use provost_domain::time::Timestamp;

pub use open::Durability;
pub use reads::SqliteReads;

use writer::{Job, Writer};

/// The store of a running process: it holds the database's lock file, so there is one at a time.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: Arc<Writer>,
    reads: SqliteReads,
}

impl SqliteStore {
    /// The read side, which never waits for writes.
    pub fn reads(&self) -> SqliteReads {
        self.reads.clone()
    }

    /// What the engine relies on, as read back from the database.
    pub fn durability(&self) -> &Durability {
        self.writer.durability()
    }

    /// Writes what is queued, checkpoints and closes. Later calls fail.
    pub async fn close(&self) {
        self.writer.close().await;
        self.reads.close().await;
    }
}

#[async_trait]
impl SessionStore for SqliteStore {
    async fn create(&self, new: NewSession) -> Result<Handle, StoreError> {
        self.writer.ask(|reply| Job::Create(new, reply)).await
    }

    async fn take_over(&self, session: SessionId, owner: &Owner) -> Result<TakenOver, StoreError> {
        let owner = owner.clone();
        self.writer.ask(|reply| Job::TakeOver(session, owner, reply)).await
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.writer.ask(|reply| Job::Append(Box::new(append), reply)).await
    }

    async fn park(&self, park: Park) -> Result<Parked, StoreError> {
        self.writer.ask(|reply| Job::Park(park, reply)).await
    }
}

#[async_trait]
impl CommandLog for SqliteStore {
    async fn submit(&self, cmd_id: &CmdId, session: SessionId, command: &Command) -> Result<Submitted, StoreError> {
        let entry = InboxEntry { cmd_id: cmd_id.clone(), command: command.clone() };
        self.writer.ask(|reply| Job::Submit(session, Box::new(entry), reply)).await
    }

    async fn outcome(&self, cmd_id: &CmdId, session: SessionId) -> Result<Option<CommandOutcome>, StoreError> {
        self.reads.outcome(cmd_id, session).await
    }

    async fn inbox(&self, session: SessionId) -> Result<(Vec<InboxEntry>, u64), StoreError> {
        self.reads.inbox(session).await
    }

    async fn runnable(&self, owner: &Owner, now: Timestamp, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        self.reads.runnable(owner, now, limit).await
    }
}
