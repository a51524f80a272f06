//! The store of a running process: every port, each method handed to the writer or to the read side.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use provost_domain::access::Token;
use provost_domain::command::Command;
use provost_domain::ids::{ApprovalId, CmdId, DeliveryId, Digest, Handle, MessageId, Owner, Seq, SessionId, TokenId};
use provost_domain::log::AppendRecord;
use provost_domain::port::{
    AgainAnswer, Append, Appended, ApprovalFilter, ApprovalRow, AttentionLog, Claimed, CommandLog, CommandOutcome,
    Deliveries, DismissAnswer, EnqueueAnswer, Erase, Erased, Erasure, Finish, ImportAnswer, ImportedSession, Imports,
    InboxEntry, KeptAnswer, KeptPack, KnownRequest, LookAnswer, MintAnswer, NewDelivery, NewMessage, NewSession,
    Outbox, PackShelf, PageSession, PageSessions, Park, Parked, Prunable, Quiet, Reads, Requests, RevokeAnswer,
    SessionFilter, SessionLook, SessionRow, SessionStore, Snapshot, StoreError, Submitted, TakenOver, TokenReads,
    Tokens, Tried, TryAnswer, WatchedSession,
};
use provost_domain::time::Timestamp;

use super::job::{Job, Submission, TakeOver};
use super::reads::SqliteReads;
use super::settings::Durability;
use super::writer::Writer;
use super::{attention, deliveries, erasure, outbox, packs, page_sessions, requests, tokens};
use crate::check;
use crate::numbers::Numbers;

/// The store of a running process: it holds the database's lock file, so there is one at a time. Cloning shares it; it
/// ends with [`SqliteStore::close`] or its last clone.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: Arc<Writer>,
    reads: SqliteReads,
    durability: Durability,
    numbers: Arc<Mutex<Numbers>>,
}

impl SqliteStore {
    /// A store over its parts.
    pub(super) fn new(writer: Writer, reads: SqliteReads, durability: Durability) -> Self {
        Self { writer: Arc::new(writer), reads, durability, numbers: Arc::default() }
    }

    /// The read side, which never waits for writes.
    pub fn reads(&self) -> SqliteReads {
        self.reads.clone()
    }

    /// What the engine relies on, as read back from the database.
    pub fn durability(&self) -> &Durability {
        &self.durability
    }

    /// Waits until the storage fails under it (disk full, file gone), after which every write is refused: the process
    /// should end and start again. Never returns otherwise.
    pub async fn died(&self) -> StoreError {
        self.writer.died().await
    }

    /// Writes what is queued, checkpoints and closes. Once it returns, another process may open the database; later
    /// calls fail.
    pub async fn close(&self) {
        self.writer.close().await;
        self.reads.close().await;
    }
}

#[async_trait]
impl SessionStore for SqliteStore {
    async fn allot(&self, prefix: &str, day: &str) -> Result<Handle, StoreError> {
        let numbers = || self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = numbers().knows(prefix, day);
        let last = if known { 0 } else { self.reads.last_number(prefix, day).await? };
        // Whoever counted the day meanwhile has counted on from the same number.
        let handle = numbers().next(prefix, day, || last);
        Ok(handle)
    }

    async fn create(&self, new: NewSession) -> Result<(), StoreError> {
        check::new(&new)?;
        self.writer.ask(Job::Create, new).await
    }

    async fn take_over(&self, session: SessionId, owner: &Owner) -> Result<TakenOver, StoreError> {
        let taken = self.writer.ask(Job::TakeOver, TakeOver { session, owner: owner.clone() }).await?;
        self.reads.load(taken).await
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        check::append(&append)?;
        self.writer.ask(Job::Append, Box::new(append)).await
    }

    async fn park(&self, park: Park) -> Result<Parked, StoreError> {
        self.writer.ask(Job::Park, park).await
    }
}

#[async_trait]
impl CommandLog for SqliteStore {
    async fn submit(&self, cmd_id: &CmdId, session: SessionId, command: &Command) -> Result<Submitted, StoreError> {
        let command = serde_json::to_string(command).map_err(|error| StoreError::Failed {
            detail: format!("the command cannot be written as JSON ({error}); report this as a bug"),
        })?;
        self.writer.ask(Job::Submit, Submission { session, cmd_id: cmd_id.clone(), command }).await
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

#[async_trait]
impl Tokens for SqliteStore {
    async fn mint(&self, token: &Token) -> Result<MintAnswer, StoreError> {
        let changed = self.writer.ask(Job::Execute, vec![tokens::mint(token)]).await?;
        Ok(if changed == 1 { MintAnswer::Stored } else { MintAnswer::NameTaken })
    }

    async fn revoke(&self, id: &TokenId, at: Timestamp) -> Result<RevokeAnswer, StoreError> {
        let changed = self.writer.ask(Job::Execute, vec![tokens::revoke(id, at)]).await?;
        Ok(if changed == 1 { RevokeAnswer::Revoked } else { RevokeAnswer::NotInForce })
    }

    async fn used(&self, id: &TokenId, at: Timestamp) -> Result<(), StoreError> {
        self.writer.ask(Job::Execute, vec![tokens::used(id, at)]).await.map(drop)
    }
}

#[async_trait]
impl TokenReads for SqliteStore {
    async fn token(&self, id: &TokenId) -> Result<Option<Token>, StoreError> {
        self.reads.token(id).await
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.reads.tokens().await
    }
}

#[async_trait]
impl PageSessions for SqliteStore {
    async fn begin(&self, session: &PageSession) -> Result<(), StoreError> {
        self.writer.ask(Job::Execute, page_sessions::begin(session)).await.map(drop)
    }

    async fn page_session(&self, digest: Digest) -> Result<Option<PageSession>, StoreError> {
        page_sessions::read(self.reads.pool(), digest).await
    }

    async fn end(&self, digest: Digest) -> Result<(), StoreError> {
        self.writer.ask(Job::Execute, vec![page_sessions::end(digest)]).await.map(drop)
    }
}

#[async_trait]
impl Imports for SqliteStore {
    async fn import(&self, session: ImportedSession) -> Result<ImportAnswer, StoreError> {
        check::imported(&session)?;
        self.writer.ask(Job::Import, Box::new(session)).await
    }
}

#[async_trait]
impl Deliveries for SqliteStore {
    async fn deliver(&self, delivery: NewDelivery) -> Result<(), StoreError> {
        self.writer.ask(Job::Deliver, delivery).await
    }

    async fn plan(&self, group: Digest, plan: &str) -> Result<(), StoreError> {
        self.writer.ask(Job::Execute, vec![deliveries::plan(group, plan)]).await.map(drop)
    }

    async fn finish(&self, finish: Finish) -> Result<u64, StoreError> {
        self.writer.ask(Job::Execute, deliveries::finish(&finish)?).await
    }

    async fn dismiss(&self, id: &DeliveryId, note: &str) -> Result<DismissAnswer, StoreError> {
        let changed = self.writer.ask(Job::Execute, vec![deliveries::dismiss(id, note)]).await?;
        Ok(if changed == 1 { DismissAnswer::Dismissed } else { DismissAnswer::NotBad })
    }
}

#[async_trait]
impl Outbox for SqliteStore {
    async fn enqueue(&self, message: NewMessage) -> Result<EnqueueAnswer, StoreError> {
        let changed = self.writer.ask(Job::Execute, vec![outbox::enqueue(&message)]).await?;
        Ok(if changed == 1 { EnqueueAnswer::Stored } else { EnqueueAnswer::NothingNew })
    }

    async fn tried(&self, tried: &Tried) -> Result<TryAnswer, StoreError> {
        let changed = self.writer.ask(Job::Execute, vec![outbox::tried(tried)]).await?;
        Ok(if changed == 1 { TryAnswer::Counted } else { TryAnswer::NotWaiting })
    }

    async fn again(&self, id: &MessageId, at: Timestamp) -> Result<AgainAnswer, StoreError> {
        let changed = self.writer.ask(Job::Execute, vec![outbox::again(id, at)]).await?;
        Ok(if changed == 1 { AgainAnswer::Due } else { AgainAnswer::NothingToSend })
    }
}

#[async_trait]
impl AttentionLog for SqliteStore {
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<WatchedSession>, StoreError> {
        attention::due(self.reads.pool(), now, limit).await
    }

    async fn next_at(&self) -> Result<Option<Timestamp>, StoreError> {
        attention::next_at(self.reads.pool()).await
    }

    async fn looked(&self, look: SessionLook) -> Result<LookAnswer, StoreError> {
        let changed = self.writer.ask(Job::Execute, attention::looked(&look)).await?;
        Ok(if changed == 1 { LookAnswer::Stored } else { LookAnswer::Outdated })
    }
}

#[async_trait]
impl PackShelf for SqliteStore {
    async fn keep(&self, packs: &[KeptPack]) -> Result<(), StoreError> {
        let statements = packs.iter().map(packs::keep).collect::<Result<_, _>>()?;
        self.writer.ask(Job::Execute, statements).await.map(drop)
    }
}

#[async_trait]
impl Requests for SqliteStore {
    async fn claim(
        &self,
        key: Digest,
        fingerprint: Digest,
        at: Timestamp,
        forget: Timestamp,
    ) -> Result<KnownRequest, StoreError> {
        self.writer.ask(Job::Execute, requests::claim(key, fingerprint, at, forget)).await?;
        self.reads.request(key).await
    }

    async fn answer(&self, key: Digest, answer: &KeptAnswer) -> Result<(), StoreError> {
        self.writer.ask(Job::Execute, requests::answer(key, answer)?).await.map(drop)
    }
}

#[async_trait]
impl Erasure for SqliteStore {
    async fn erase(&self, erase: Erase) -> Result<Erased, StoreError> {
        check::tombstone(&erase)?;
        self.writer.ask(Job::Execute, erasure::erase(&erase)).await?;
        self.reads.erased(&erase).await
    }

    async fn expired(&self, before: Timestamp, after: Option<Quiet>, limit: u32) -> Result<Vec<Quiet>, StoreError> {
        self.reads.expired(before, after, limit).await
    }

    async fn prune(&self, what: Prunable, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let statements = self.reads.prunable(what, before, limit).await?;
        if statements.is_empty() {
            return Ok(0);
        }
        self.writer.ask(Job::Execute, statements).await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.writer.ask(Job::Scrub, ()).await
    }
}

#[async_trait]
impl Reads for SqliteStore {
    async fn session(&self, id: SessionId) -> Result<SessionRow, StoreError> {
        self.reads.session(id).await
    }

    async fn by_handle(&self, handle: &Handle) -> Result<SessionId, StoreError> {
        self.reads.by_handle(handle).await
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError> {
        self.reads.sessions(filter).await
    }

    async fn records(&self, id: SessionId, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError> {
        self.reads.records(id, after, limit).await
    }

    async fn snapshot(&self, id: SessionId) -> Result<Option<Snapshot>, StoreError> {
        self.reads.snapshot(id).await
    }

    async fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        self.reads.content(digest).await
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<ApprovalRow>, StoreError> {
        self.reads.approvals(filter).await
    }

    async fn holder(
        &self,
        key: &provost_domain::claims::ClaimKey,
    ) -> Result<Option<provost_domain::projection::ClaimRow>, StoreError> {
        self.reads.holder(key).await
    }

    async fn approval(&self, id: &ApprovalId) -> Result<ApprovalRow, StoreError> {
        self.reads.approval(id).await
    }
}
