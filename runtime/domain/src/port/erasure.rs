//! The seam to forgetting: what a closed session said is erased for good, and what is finished and old is pruned.
//!
//! It is the only door through which anything of a log goes. What stays is the chain: headers, digests and hashes of every
//! record, and a tombstone, the log's last record, that says who erased it, when and why.

use async_trait::async_trait;

use super::error::StoreError;
use crate::ids::{Digest, Fence, Seq, SessionId};
use crate::log::AppendRecord;
use crate::time::Timestamp;

/// A request to erase what a closed session said.
#[derive(Debug, Clone)]
pub struct Erase {
    /// Which session to erase.
    pub session: SessionId,
    /// The fence its row had when it was read.
    pub fence: Fence,
    /// Where its head was.
    pub head: (Seq, Digest),
    /// The log's last record: it follows that head under the next fence, and its only event is
    /// [`crate::event::EventBody::SessionErased`].
    pub tombstone: AppendRecord,
    /// When.
    pub at: Timestamp,
}

/// What erasing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// The payloads are deleted and the tombstone is the log's last record.
    Done {
        /// The records whose payload is gone.
        records: u64,
    },
    /// Nothing was erased: messages of the session still wait to be sent.
    Unsent {
        /// How many.
        messages: u64,
    },
}

/// What is pruned by age once it is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Prunable {
    /// Deliveries that are done, and bad ones. Those that wait stay, and so does what tells a case's news from its repeats,
    /// as long as the case's session is open.
    Deliveries,
    /// Messages that were sent, and those that failed for good.
    Outbox,
    /// Notes of requests made under an idempotency key.
    Requests,
}

impl Prunable {
    /// Everything that is pruned.
    pub const ALL: [Self; 3] = [Self::Deliveries, Self::Outbox, Self::Requests];

    /// Its word, for figures and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deliveries => "deliveries",
            Self::Outbox => "outbox",
            Self::Requests => "requests",
        }
    }
}

/// A session that ended. They are ordered by how long nothing came any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quiet {
    /// When its log grew last.
    pub since: Timestamp,
    /// The session that nothing is left to do for.
    pub session: SessionId,
}

/// Erases and prunes.
#[async_trait]
pub trait Erasure: Send + Sync + std::fmt::Debug {
    /// Erases payloads and salts of the session's records, its snapshot, commands, approvals' arguments, contents that no
    /// other session refers to, the bodies of its deliveries, its messages, and kept answers that may carry its text; and
    /// writes the tombstone: all in one transaction. Once it returns `Done`, none of it can be read any more and nothing
    /// writes to the session again. `Stale`: the session has not ended, is held, changed, or its deliveries are being
    /// worked on; nothing was erased. `Erased`: it was before.
    async fn erase(&self, erase: Erase) -> Result<Erased, StoreError>;

    /// At most `limit` sessions that ended, are held by nobody, are not erased, and whose log has not grown since `before`:
    /// the longest quiet first, from behind `after` on.
    async fn expired(&self, before: Timestamp, after: Option<Quiet>, limit: u32) -> Result<Vec<Quiet>, StoreError>;

    /// Deletes at most `limit` of what is finished and older than `before`, oldest first. Returns how many.
    async fn prune(&self, what: Prunable, before: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// Rewrites the store's files where an erasure left its bytes in them. Once it returns, no file of the store holds a
    /// byte of what was erased before it was called. Does nothing where nothing is left; what is left, also by a crash,
    /// stays marked until a call succeeds.
    async fn scrub(&self) -> Result<(), StoreError>;
}
