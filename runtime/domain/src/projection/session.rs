//! A session's row.

use crate::ids::{Digest, Fence, Handle, Owner, PackName, Seq, SessionId};
use crate::status::Status;
use crate::time::Timestamp;

/// A session's hot row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Which session the row describes.
    pub id: SessionId,
    /// Its human handle.
    pub handle: Handle,
    /// Its pack's name.
    pub pack: PackName,
    /// The pack digest it pinned.
    pub pack_digest: Digest,
    /// Its status; stored as its word.
    pub status: Status,
    /// Whether that status is an end.
    pub ended: bool,
    /// One line about the case, for lists.
    pub title: String,
    /// The log's head.
    pub head_seq: Seq,
    /// The hash of the log's last append; zero before the first.
    pub head_hash: Digest,
    /// The fence it is held under.
    pub fence: Fence,
    /// Who holds it; `None` when parked or ended.
    pub owner: Option<Owner>,
    /// Grows with every command put into its inbox.
    pub wake_seq: u64,
    /// When it must be woken while parked.
    pub next_run_at: Option<Timestamp>,
    /// When its log last grew.
    pub progress_at: Timestamp,
    /// How often it was taken from an owner that had not given it up, since an append last made progress
    /// ([`crate::port::Append::progress`]) or it was parked.
    pub takeovers: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When what it said was erased; its log then ends in a tombstone and never grows again.
    pub erased_at: Option<Timestamp>,
}

/// The bounded header at a turn's end, encoded by the domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The last event it holds.
    pub seq: Seq,
    /// The log's hash there.
    pub hash: Digest,
    /// The header's bytes.
    pub header: Vec<u8>,
}
