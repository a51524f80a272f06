//! The seam to what is kept between two looks at a session: which sessions have news, and what people were told.

use async_trait::async_trait;

use super::error::StoreError;
use super::outbox::NewMessage;
use crate::ids::{Seq, SessionId};
use crate::time::Timestamp;

/// A session that is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchedSession {
    /// The session that people may be needed for.
    pub session: SessionId,
    /// The last append with news ([`crate::attention::is_news`]) when it was read.
    pub news: Seq,
    /// How often something was stored of it: a look counts only for what it saw.
    pub version: u64,
    /// What the last look stored; `None` before the first.
    pub state: Option<String>,
}

/// What one look came to.
#[derive(Debug, Clone)]
pub struct SessionLook {
    /// The session that people may be needed for.
    pub session: SessionId,
    /// As it was read.
    pub version: u64,
    /// The news that were seen.
    pub news: Seq,
    /// What is kept until the next look.
    pub state: String,
    /// When to look again though nothing came.
    pub next_at: Option<Timestamp>,
    /// What is to be sent.
    pub messages: Vec<NewMessage>,
}

/// What storing a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "perhaps nothing was stored"]
pub enum LookAnswer {
    /// State and messages are durable.
    Stored,
    /// Somebody else looked meanwhile, or the session was erased: nothing was stored.
    Outdated,
}

/// What people are told of sessions.
#[async_trait]
pub trait AttentionLog: Send + Sync + std::fmt::Debug {
    /// Sessions with news that no look saw, and those whose time has come; at most `limit`.
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<WatchedSession>, StoreError>;

    /// When the next session's time comes.
    async fn next_at(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Stores what a look came to, all of it in one transaction: what was told is told once, whenever the process dies.
    async fn looked(&self, look: SessionLook) -> Result<LookAnswer, StoreError>;
}
