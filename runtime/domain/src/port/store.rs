//! The seam to durable storage: reads split from writes.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::command::Command;
use crate::event::{ApprovalDecision, EventBody};
use crate::ids::{ApprovalId, CallId, CmdId, Digest, Fence, Handle, Owner, Principal, Seq, SessionId, ToolName};
use crate::log::AppendRecord;
use crate::time::Timestamp;
use crate::tool::Content;

/// Why the store did not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The session is held under a newer fence or by another owner: stop, write nothing more.
    #[error("the session is held by another owner now; reload it")]
    Fenced,
    /// The log's head is not where the caller thought: reload.
    #[error("the session changed meanwhile; reload it")]
    Stale,
    /// Nothing of that name.
    #[error("no {what} `{id}`; list what there is and check the id")]
    Missing {
        /// The kind of thing.
        what: &'static str,
        /// The id asked for.
        id: String,
    },
    /// What the session said is gone for good.
    #[error("session {session} was erased; only its tombstone is left")]
    Erased {
        /// The session.
        session: SessionId,
    },
    /// What is stored breaks a rule: never written over.
    #[error("the store is damaged: {detail}; keep the file, run `provost audit verify` and restore a backup")]
    Damaged {
        /// Where and how, naming table and row.
        detail: String,
    },
    /// The whole storage is held by another process.
    #[error("{detail}")]
    Held {
        /// What is held and by whom.
        detail: String,
    },
    /// The storage itself failed (disk full, file locked, connection lost).
    #[error("storage failed: {detail}")]
    Failed {
        /// What was seen and what to do next.
        detail: String,
    },
}

/// A session's hot row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// The session.
    pub id: SessionId,
    /// Its human handle.
    pub handle: Handle,
    /// Its pack's name.
    pub pack: String,
    /// The pack digest it pinned.
    pub pack_digest: Digest,
    /// Its status as shown ([`crate::status::Status::as_str`]).
    pub status: String,
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
    /// ([`Append::progress`]) or it was parked.
    pub takeovers: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When what it said was erased; its log then ends in a tombstone and never grows again.
    pub erased_at: Option<Timestamp>,
}

/// A session to be created.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Its id.
    pub id: SessionId,
    /// Its handle, as allotted.
    pub handle: Handle,
    /// Its pack.
    pub pack: String,
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

/// A command waiting in an inbox.
#[derive(Debug, Clone, PartialEq)]
pub struct InboxEntry {
    /// Its id, unique in its session.
    pub cmd_id: CmdId,
    /// The command.
    pub command: Command,
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

/// A row of the approvals projection.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalRow {
    /// The approval.
    pub id: ApprovalId,
    /// Its session.
    pub session: SessionId,
    /// The call it would let run.
    pub call: CallId,
    /// The tool.
    pub tool: ToolName,
    /// The final arguments.
    pub args: serde_json::Value,
    /// Hash of the canonical arguments.
    pub args_hash: Digest,
    /// Digest of the gate policy it was asked under.
    pub policy_digest: Digest,
    /// Why the gate asked, as its wire word.
    pub reason: String,
    /// `pending`, `approved`, `edited`, `rejected`, `responded`, `expired`, `cancelled`.
    pub state: String,
    /// Who decided.
    pub decided_by: Option<Principal>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
}

/// A change of the approvals projection.
#[derive(Debug, Clone, PartialEq)]
pub enum ApprovalChange {
    /// A new row, pending.
    Asked(Box<ApprovalRow>),
    /// A pending row is decided; one that is not pending any more never changes.
    Decided {
        /// The approval.
        id: ApprovalId,
        /// The state it ends in.
        state: &'static str,
        /// Who decided; `None` when its time was up.
        by: Option<Principal>,
        /// The arguments an edit put in place of the first ones, and their hash.
        edited: Option<(serde_json::Value, Digest)>,
        /// When.
        at: Timestamp,
    },
}

impl ApprovalChange {
    /// What a session's events, recorded at `at`, change.
    pub fn of(session: SessionId, at: Timestamp, events: &[EventBody]) -> Vec<Self> {
        events.iter().filter_map(|event| Self::of_one(session, at, event)).collect()
    }

    /// Applies it to a session's rows: a pending row may change, a decided one never does.
    pub fn apply(self, session: SessionId, rows: &mut BTreeMap<ApprovalId, ApprovalRow>) {
        match self {
            Self::Asked(row) => {
                rows.entry(row.id.clone()).or_insert(*row);
            }
            Self::Decided { id, state, by, edited, at } => {
                let pending = |row: &&mut ApprovalRow| row.state == "pending" && row.session == session;
                let Some(row) = rows.get_mut(&id).filter(pending) else { return };
                state.clone_into(&mut row.state);
                row.decided_by = by;
                row.decided_at = Some(at);
                if let Some((args, hash)) = edited {
                    row.args = args;
                    row.args_hash = hash;
                }
            }
        }
    }

    fn of_one(session: SessionId, at: Timestamp, event: &EventBody) -> Option<Self> {
        if let EventBody::ApprovalRequested(asked) = event {
            return Some(Self::Asked(Box::new(ApprovalRow {
                id: asked.approval.clone(),
                session,
                call: asked.call.clone(),
                tool: asked.tool.clone(),
                args: (*asked.args).clone(),
                args_hash: asked.args_hash,
                policy_digest: asked.policy_digest,
                reason: asked.reason.to_string(),
                state: "pending".to_owned(),
                decided_by: None,
                requested_at: at,
                expires_at: asked.expires_at,
                decided_at: None,
            })));
        }
        if let EventBody::ApprovalExpired(expired) = event {
            return Some(Self::Decided { id: expired.approval.clone(), state: "expired", by: None, edited: None, at });
        }
        let EventBody::ApprovalDecided(decided) = event else { return None };
        let edited = match &decided.decision {
            ApprovalDecision::Edited { args, args_hash } => Some(((**args).clone(), *args_hash)),
            ApprovalDecision::Approved
            | ApprovalDecision::Rejected { .. }
            | ApprovalDecision::Responded { .. }
            | ApprovalDecision::Cancelled => None,
        };
        let (id, state, by) = (decided.approval.clone(), decided.decision.state(), Some(decided.by.clone()));
        Some(Self::Decided { id, state, by, edited, at })
    }
}

/// The store's one write to a live session: all or nothing.
#[derive(Debug, Clone)]
pub struct Append {
    /// The session.
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
    pub status: String,
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

/// A session that waits to be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claimed {
    /// The session.
    pub session: SessionId,
}

/// A request to park.
#[derive(Debug, Clone)]
pub struct Park {
    /// The session.
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

/// What submitting came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// Stored for the first time.
    Stored,
    /// Known already; its outcome if it was settled.
    Known(Option<CommandOutcome>),
}

/// Which sessions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Only this status.
    pub status: Option<String>,
    /// Only this pack.
    pub pack: Option<String>,
    /// Only sessions created before this one (newest first): the cursor.
    pub before: Option<SessionId>,
    /// At most this many; the store caps it at 500.
    pub limit: u32,
}

/// Which approvals to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// Only this session's.
    pub session: Option<SessionId>,
    /// Only pending ones.
    pub pending_only: bool,
    /// At most this many; the store caps it at 500.
    pub limit: u32,
}

/// Reads, which never wait for writes.
#[async_trait]
pub trait Reads: Send + Sync + std::fmt::Debug {
    /// A session's row, by id.
    async fn session(&self, id: SessionId) -> Result<SessionRow, StoreError>;

    /// A session's id by its handle.
    async fn by_handle(&self, handle: &Handle) -> Result<SessionId, StoreError>;

    /// Sessions, newest first.
    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError>;

    /// The appends that hold events after `after`, in order, at most `limit` appends.
    async fn records(&self, id: SessionId, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError>;

    /// A large result's bytes, verified against the digest.
    async fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError>;

    /// Approvals.
    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<ApprovalRow>, StoreError>;

    /// One approval.
    async fn approval(&self, id: &ApprovalId) -> Result<ApprovalRow, StoreError>;
}
