//! Reads, on connections of their own that cannot write and never wait for the writer.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::access::Token;
use provost_domain::claims::ClaimKey;
use provost_domain::ids::{ApprovalId, CmdId, DeliveryId, Digest, Handle, MessageId, Owner, Seq, SessionId, TokenId};
use provost_domain::log::AppendRecord;
use provost_domain::port::{
    ApprovalFilter, ApprovalRow, Backup, ClaimRow, Claimed, CommandOutcome, Delivery, DeliveryFilter, DeliveryReads,
    DeliveryRow, Erase, Erased, GroupWork, InboxEntry, KeptPack, KnownRequest, Message, MessageFilter, MessageRow,
    OutboxReads, PackReads, Prunable, Queued, Quiet, Reads, SessionFilter, SessionRow, Snapshot, StoreError, TakenOver,
    TokenReads,
};
use provost_domain::time::Timestamp;
use sqlx::SqlitePool;

use super::error::failed;
use super::job::Taken;
use super::records::{RECORDS, RECORDS_BETWEEN, record, signed};
use super::rows::key;
use super::statement::Statement;
use super::{
    approvals, backup, claims, contents, deliveries, erasure, inbox, outbox, packs, prune, requests, session_row,
    snapshots, tokens,
};
use crate::bounds::LIST_MAX;

/// The read side of a SQLite store. Cloning shares its connections.
#[derive(Debug, Clone)]
pub struct SqliteReads {
    pool: SqlitePool,
    path: Arc<Path>,
}

impl SqliteReads {
    pub(super) fn new(pool: SqlitePool, path: &Path) -> Self {
        Self { pool, path: path.into() }
    }

    pub(super) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Closes its connections; later reads fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) async fn request(&self, key: Digest) -> Result<KnownRequest, StoreError> {
        requests::read(&self.pool, key).await
    }

    /// The last handle number stored of a prefix and day.
    pub(super) async fn last_number(&self, prefix: &str, day: &str) -> Result<u64, StoreError> {
        session_row::last_number(&self.pool, prefix, day).await
    }

    /// The log of a session taken over, up to the head it was taken over at.
    pub(super) async fn load(&self, taken: Taken) -> Result<TakenOver, StoreError> {
        let Taken { stored, inbox } = taken;
        let (sid, row) = (stored.sid, stored.row);
        if row.head_seq == Seq(0) {
            return Ok(TakenOver { row, snapshot: None, records: Vec::new(), inbox });
        }
        let mut connection = self.pool.acquire().await.map_err(|error| failed(&error))?;
        let snapshot = snapshots::read(&mut connection, sid).await?;
        let after = snapshot.as_ref().map_or(Seq(0), |snapshot| snapshot.seq);
        if after > row.head_seq {
            // Somebody took it over after us and wrote on.
            return Err(StoreError::Fenced);
        }
        let query = sqlx::query(RECORDS_BETWEEN).bind(sid).bind(signed(after)).bind(signed(row.head_seq));
        let found = query.fetch_all(&mut *connection).await.map_err(|error| failed(&error))?;
        let records = found.iter().map(|found| record(row.id, found)).collect::<Result<_, _>>()?;
        Ok(TakenOver { row, snapshot, records, inbox })
    }

    pub(super) async fn outcome(
        &self,
        cmd_id: &CmdId,
        session: SessionId,
    ) -> Result<Option<CommandOutcome>, StoreError> {
        let mut connection = self.pool.acquire().await.map_err(|error| failed(&error))?;
        inbox::outcome(&mut connection, cmd_id, session).await
    }

    pub(super) async fn inbox(&self, session: SessionId) -> Result<(Vec<InboxEntry>, u64), StoreError> {
        inbox::read(&self.pool, session).await
    }

    pub(super) async fn erased(&self, erase: &Erase) -> Result<Erased, StoreError> {
        erasure::outcome(&self.pool, erase).await
    }

    pub(super) async fn expired(
        &self,
        before: Timestamp,
        after: Option<Quiet>,
        limit: u32,
    ) -> Result<Vec<Quiet>, StoreError> {
        erasure::expired(&self.pool, before, after, limit).await
    }

    pub(super) async fn prunable(
        &self,
        what: Prunable,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<Statement>, StoreError> {
        prune::prune(&self.pool, what, before, limit).await
    }

    pub(super) async fn runnable(&self, owner: &Owner, now: Timestamp, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        session_row::runnable(&self.pool, owner, now, i64::from(limit)).await
    }
}

#[async_trait]
impl Reads for SqliteReads {
    async fn session(&self, id: SessionId) -> Result<SessionRow, StoreError> {
        session_row::read(&self.pool, id).await
    }

    async fn by_handle(&self, handle: &Handle) -> Result<SessionId, StoreError> {
        session_row::by_handle(&self.pool, handle).await
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError> {
        session_row::list(&self.pool, filter, i64::from(filter.limit.min(LIST_MAX))).await
    }

    async fn records(&self, id: SessionId, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError> {
        let query = sqlx::query(RECORDS).bind(key(&id)).bind(signed(after)).bind(i64::from(limit));
        let found = query.fetch_all(&self.pool).await.map_err(|error| failed(&error))?;
        if found.is_empty() {
            self.session(id).await?;
        }
        found.iter().map(|found| record(id, found)).collect()
    }

    async fn snapshot(&self, id: SessionId) -> Result<Option<Snapshot>, StoreError> {
        snapshots::of(&self.pool, id).await
    }

    async fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        contents::read(&self.pool, digest).await
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<ApprovalRow>, StoreError> {
        approvals::list(&self.pool, filter, i64::from(filter.limit.min(LIST_MAX))).await
    }

    async fn holder(&self, key: &ClaimKey) -> Result<Option<ClaimRow>, StoreError> {
        claims::holder(&self.pool, key).await
    }

    async fn approval(&self, id: &ApprovalId) -> Result<ApprovalRow, StoreError> {
        approvals::read(&self.pool, id).await
    }
}

#[async_trait]
impl DeliveryReads for SqliteReads {
    async fn waiting(&self) -> Result<Vec<(Digest, u64)>, StoreError> {
        deliveries::waiting(&self.pool).await
    }

    async fn work(&self, group: Digest, limit: u32) -> Result<GroupWork, StoreError> {
        deliveries::work(&self.pool, group, i64::from(limit)).await
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<Delivery, StoreError> {
        deliveries::read(&self.pool, id).await
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryRow>, StoreError> {
        deliveries::list(&self.pool, filter, i64::from(filter.limit.min(LIST_MAX))).await
    }
}

#[async_trait]
impl TokenReads for SqliteReads {
    async fn token(&self, id: &TokenId) -> Result<Option<Token>, StoreError> {
        tokens::read(&self.pool, id).await
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        tokens::list(&self.pool).await
    }
}

#[async_trait]
impl Backup for SqliteReads {
    async fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        backup::copy(&self.path, to).await
    }
}

#[async_trait]
impl PackReads for SqliteReads {
    async fn needed(&self) -> Result<Vec<Result<KeptPack, StoreError>>, StoreError> {
        packs::needed(&self.pool).await
    }
}

#[async_trait]
impl OutboxReads for SqliteReads {
    async fn queued(&self) -> Result<Vec<Queued>, StoreError> {
        outbox::queued(&self.pool).await
    }

    async fn due(&self, target: &str, now: Timestamp, limit: u32) -> Result<Vec<Message>, StoreError> {
        outbox::due(&self.pool, target, now, limit).await
    }

    async fn message(&self, id: &MessageId) -> Result<MessageRow, StoreError> {
        outbox::read(&self.pool, id).await
    }

    async fn messages(&self, filter: &MessageFilter) -> Result<Vec<MessageRow>, StoreError> {
        outbox::list(&self.pool, filter, i64::from(filter.limit.min(LIST_MAX))).await
    }
}
