//! Reads, on connections of their own that cannot write and never wait for the writer.

use async_trait::async_trait;
use provost_domain::access::Token;
use provost_domain::ids::{
    ApprovalId, CmdId, DeliveryId, Digest, Fence, Handle, MessageId, Owner, Seq, SessionId, TokenId,
};
use provost_domain::log::{AppendRecord, RecordHeader};
use provost_domain::port::{
    ApprovalFilter, ApprovalRow, Claimed, CommandOutcome, Delivery, DeliveryFilter, DeliveryReads, DeliveryRow, Erase,
    Erased, GroupWork, InboxEntry, KeptPack, KnownRequest, Message, MessageFilter, MessageRow, OutboxReads, PackReads,
    Prunable, Queued, Quiet, Reads, SessionFilter, SessionRow, StoreError, TakenOver,
};
use provost_domain::time::Timestamp;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::rows::{Columns, key};
use super::sessions::Taken;
use super::writer::Statement;
use super::{
    approvals, contents, deliveries, erasure, inbox, outbox, packs, prune, requests, sessions, snapshots, tokens,
};
use crate::LIST_MAX;

macro_rules! records {
    ($rest:literal) => {
        concat!(
            "SELECT appends.first_seq, appends.last_seq, appends.fence, cmd_id, at, kinds, payload, salt, digest, prev, \
               hash FROM appends ",
            $rest
        )
    };
}
/// From the record that holds the event after `?2`: a seek, however long the log is.
pub(super) const RECORDS: &str = records!(
    "JOIN sessions USING (sid) WHERE sessions.id = ?1 AND last_seq > ?2 \
       AND first_seq >= coalesce((SELECT max(a.first_seq) FROM appends AS a WHERE a.sid = sessions.sid \
                                  AND a.first_seq <= ?2 + 1), 0) \
     ORDER BY first_seq LIMIT ?3"
);
pub(super) const RECORDS_BETWEEN: &str =
    records!("WHERE sid = ?1 AND first_seq > ?2 AND last_seq <= ?3 ORDER BY first_seq");

pub(super) const RECORDS_AFTER: &str = records!("WHERE sid = ?1 AND first_seq > ?2 ORDER BY first_seq LIMIT ?3");

/// The read side of a SQLite store. Cloning shares its connections.
#[derive(Debug, Clone)]
pub struct SqliteReads {
    pool: SqlitePool,
}

impl SqliteReads {
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self { pool }
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

    pub(super) async fn token(&self, id: &TokenId) -> Result<Option<Token>, StoreError> {
        tokens::read(&self.pool, id).await
    }

    /// All access tokens, newest first, revoked ones included.
    ///
    /// # Errors
    /// The storage fails.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        tokens::list(&self.pool).await
    }

    /// The last handle number stored of a prefix and day.
    pub(super) async fn last_number(&self, prefix: &str, day: &str) -> Result<u64, StoreError> {
        sessions::last_number(&self.pool, prefix, day).await
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
        sessions::runnable(&self.pool, owner, now, i64::from(limit)).await
    }
}

#[async_trait]
impl Reads for SqliteReads {
    async fn session(&self, id: SessionId) -> Result<SessionRow, StoreError> {
        sessions::read(&self.pool, id).await
    }

    async fn by_handle(&self, handle: &Handle) -> Result<SessionId, StoreError> {
        sessions::by_handle(&self.pool, handle).await
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError> {
        sessions::list(&self.pool, filter, i64::from(filter.limit.min(LIST_MAX))).await
    }

    async fn records(&self, id: SessionId, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError> {
        let query = sqlx::query(RECORDS).bind(key(&id)).bind(signed(after)).bind(i64::from(limit));
        let found = query.fetch_all(&self.pool).await.map_err(|error| failed(&error))?;
        if found.is_empty() {
            self.session(id).await?;
        }
        found.iter().map(|found| record(id, found)).collect()
    }

    async fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        contents::read(&self.pool, digest).await
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<ApprovalRow>, StoreError> {
        approvals::list(&self.pool, filter, i64::from(filter.limit.min(LIST_MAX))).await
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

pub(super) fn signed(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

pub(super) fn record(session: SessionId, row: &SqliteRow) -> Result<AppendRecord, StoreError> {
    let mut columns = Columns::of("appends", row);
    Ok(AppendRecord {
        header: RecordHeader {
            session,
            first_seq: Seq(columns.count()?),
            last_seq: Seq(columns.count()?),
            fence: Fence(columns.count()?),
            cmd_id: CmdId::new(columns.get::<String>()?),
            at: columns.time()?,
            kinds: columns.get()?,
        },
        payload: columns.get()?,
        salt: salt(&mut columns)?,
        digest: columns.digest()?,
        prev: columns.digest()?,
        hash: columns.digest()?,
    })
}

fn salt(columns: &mut Columns<'_>) -> Result<Option<[u8; 16]>, StoreError> {
    let bytes: Option<&[u8]> = columns.get()?;
    bytes.map(|bytes| <[u8; 16]>::try_from(bytes).map_err(|error| columns.wrong(&error))).transpose()
}
