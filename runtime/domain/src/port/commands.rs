//! The seam to the sessions' inboxes: commands from outside, and which sessions wait for an owner.

use async_trait::async_trait;

use super::error::StoreError;
use crate::command::Command;
use crate::ids::{CmdId, Owner, SessionId};
use crate::time::Timestamp;

/// Commands from outside.
#[async_trait]
pub trait CommandLog: Send + Sync + std::fmt::Debug {
    /// Puts a command into a session's inbox and raises its `wake_seq`, in one transaction. The same `cmd_id` again
    /// changes nothing and answers with what became of the first, if it is known. An erased session takes none.
    async fn submit(&self, cmd_id: &CmdId, session: SessionId, command: &Command) -> Result<Submitted, StoreError>;

    /// What became of a command; `None` while unsettled.
    async fn outcome(&self, cmd_id: &CmdId, session: SessionId) -> Result<Option<CommandOutcome>, StoreError>;

    /// The unsettled commands of a session in arrival order, with the `wake_seq` they were read at.
    async fn inbox(&self, session: SessionId) -> Result<(Vec<InboxEntry>, u64), StoreError>;

    /// At most `limit` sessions that `owner` should take over: held by a dead incarnation, or without an owner and with
    /// unread inbox, or `next_run_at` due. Poisoned ones (taken over too often) included: the engine ends them.
    async fn runnable(&self, owner: &Owner, now: Timestamp, limit: u32) -> Result<Vec<Claimed>, StoreError>;
}

/// A command waiting in an inbox.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxEntry {
    /// Its id, unique in its session.
    pub cmd_id: CmdId,
    /// What was asked for, and by whom; or why nobody can tell. The owner settles what cannot be read as refused, so that
    /// nothing waits behind it.
    pub command: Result<Command, UnreadableCommand>,
}

/// A stored command that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct UnreadableCommand {
    /// Where it stands, and what was seen.
    pub detail: String,
}

/// What became of a command, as its submitter reads it: the reply or refusal as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandOutcome(pub serde_json::Value);

/// A command that this append settles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxAck {
    /// The command.
    pub cmd_id: CmdId,
    /// What became of it.
    pub outcome: CommandOutcome,
}

/// What submitting came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// Stored for the first time.
    Stored,
    /// Known already; its outcome if it was settled.
    Known(Option<CommandOutcome>),
}

/// A session that waits to be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// Which session to take over.
    pub session: SessionId,
}
