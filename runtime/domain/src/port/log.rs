//! The seam to the sessions' logs: what their owners write.

use async_trait::async_trait;

use super::commands::{InboxAck, InboxEntry};
use super::error::StoreError;
use crate::ids::{Digest, Fence, Handle, Owner, PackName, Seq, SessionId};
use crate::log::AppendRecord;
use crate::projection::{ApprovalChange, ClaimChanges, SessionRow, Snapshot};
use crate::status::Status;
use crate::time::Timestamp;
use crate::tool::Content;

/// Writes by owners.
#[async_trait]
pub trait SessionStore: Send + Sync + std::fmt::Debug {
    /// The next handle of a prefix and a UTC day (`20261120`), without an upper limit. It is never given twice; one that
    /// is not used is lost.
    async fn allot(&self, prefix: &str, day: &str) -> Result<Handle, StoreError>;

    /// Stores the row together with its first append, or neither. Once it returns `Ok`, both are durable.
    async fn create(&self, new: NewSession) -> Result<(), StoreError>;

    /// Raises the fence, sets the owner and loads the session. Once it returns, no older owner can write. It counts as a
    /// takeover where another owner had not given the session up. An erased session is never taken over.
    async fn take_over(&self, session: SessionId, owner: &Owner) -> Result<TakenOver, StoreError>;

    /// Writes; once it returns `Ok`, everything in it is durable. `Fenced` and `Stale` mean nothing was written.
    /// The same record (`cmd_id`) twice is written once and answers `Ok` both times.
    async fn append(&self, append: Append) -> Result<Appended, StoreError>;

    /// Gives the session up unless a command came meanwhile.
    async fn park(&self, park: Park) -> Result<Parked, StoreError>;
}

/// A session to be created.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The id under which the session is created.
    pub id: SessionId,
    /// Its handle, as allotted.
    pub handle: Handle,
    /// The pack that the session is opened with.
    pub pack: PackName,
    /// The pinned digest.
    pub pack_digest: Digest,
    /// One line about the case.
    pub title: String,
    /// When.
    pub at: Timestamp,
    /// Its first append: the session is then held by that append's owner under that append's fence. `None` leaves it
    /// without events and without an owner, at fence 0.
    pub first: Option<Box<Append>>,
}

/// The store's one write to a live session: all or nothing.
#[derive(Debug, Clone)]
pub struct Append {
    /// The session whose log is appended to.
    pub session: SessionId,
    /// The fence it is held under.
    pub fence: Fence,
    /// Who holds it.
    pub owner: Owner,
    /// Where the caller believes the head is.
    pub expected_seq: Seq,
    /// The events, sealed; `None` when only commands are settled.
    pub record: Option<AppendRecord>,
    /// The status after it ([`crate::status::Status::as_str`]) and whether it is an end.
    pub status: Status,
    /// See `status`.
    pub ended: bool,
    /// Gives the session up with it: afterwards it has no owner.
    pub release: bool,
    /// A new snapshot, at turn ends.
    pub snapshot: Option<Snapshot>,
    /// Large results.
    pub contents: Vec<Content>,
    /// Changes of the approvals projection.
    pub approvals: Vec<ApprovalChange>,
    /// Changes of the table of claims. A claim that cannot be taken fails the whole append with
    /// [`StoreError::NotClaimed`].
    pub claims: ClaimChanges,
    /// Commands settled by it.
    pub acks: Vec<InboxAck>,
    /// Whether the session got further than starting the same work again: its takeovers are counted anew.
    pub progress: bool,
    /// When.
    pub at: Timestamp,
}

/// What an append came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The head after it.
    pub head_seq: Seq,
}

/// All that is needed to carry a session on.
#[derive(Debug, Clone)]
pub struct TakenOver {
    /// The row, under its new fence.
    pub row: SessionRow,
    /// The last snapshot.
    pub snapshot: Option<Snapshot>,
    /// The appends after it, in order.
    pub records: Vec<AppendRecord>,
    /// The inbox's unsettled commands, in arrival order.
    pub inbox: Vec<InboxEntry>,
}

/// A request to park.
#[derive(Debug, Clone)]
pub struct Park {
    /// The session that has come to rest.
    pub session: SessionId,
    /// The fence it is held under.
    pub fence: Fence,
    /// Who holds it.
    pub owner: Owner,
    /// The `wake_seq` the owner saw when its inbox was empty.
    pub wake_seq: u64,
    /// When it must be woken.
    pub next_run_at: Option<Timestamp>,
}

/// What parking came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Parked {
    /// Parked: the row has no owner.
    Parked,
    /// A command came meanwhile: still held; here is the inbox and the new `wake_seq`.
    Woken {
        /// The unsettled commands.
        inbox: Vec<InboxEntry>,
        /// What to park with next time.
        wake_seq: u64,
    },
}
