//! Reads, on connections of their own that cannot write.

use async_trait::async_trait;
use provost_domain::ids::{ApprovalId, CallId, CmdId, Digest, Handle, Owner, Principal, Seq, SessionId, ToolName};
use provost_domain::log::AppendRecord;
use provost_domain::port::{
    ApprovalFilter, ApprovalRow, Claimed, CommandOutcome, InboxEntry, Reads, SessionFilter, SessionRow, Snapshot,
    StoreError,
};
use provost_domain::time::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool};

use super::rows::{self, SESSION_COLUMNS, damaged, digest, failed, signed, unsigned};

/// Longest list one call returns.
const LIST_MAX: u32 = 500;

pub(super) const RECORDS: &str = "SELECT first_seq, last_seq, fence, cmd_id, at, kinds, payload, salt, digest, prev, hash \
     FROM appends WHERE sid = ? AND first_seq > ? ORDER BY first_seq LIMIT ?";
pub(super) const INBOX: &str = "SELECT cmd_id, command FROM inbox WHERE sid = ? AND outcome IS NULL ORDER BY seq";
pub(super) const OUTCOME: &str =
    "SELECT outcome FROM inbox JOIN sessions USING (sid) WHERE sessions.id = ? AND inbox.cmd_id = ?";
const RUNNABLE: &str = "SELECT id FROM sessions WHERE owner IS NOT NULL AND owner <> ?1 \
     UNION SELECT id FROM sessions WHERE owner IS NULL AND wake_seq > read_seq \
     UNION SELECT id FROM sessions WHERE owner IS NULL AND next_run_at <= ?2 LIMIT ?3";
const APPROVAL_COLUMNS: &str = "approvals.id AS id, sessions.id AS session, call, tool, args, args_hash, policy_digest, reason, \
     state, decided_by, requested_at, expires_at, decided_at";

/// The read side of a SQLite store.
#[derive(Debug, Clone)]
pub struct SqliteReads {
    pool: SqlitePool,
}

impl SqliteReads {
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
    }

    pub(super) async fn outcome(
        &self,
        cmd_id: &CmdId,
        session: SessionId,
    ) -> Result<Option<CommandOutcome>, StoreError> {
        let query = sqlx::query(OUTCOME).bind(session.to_string()).bind(cmd_id.as_str());
        let row = query.fetch_optional(&self.pool).await.map_err(|e| failed(&e))?;
        outcome_of(row.as_ref())
    }

    pub(super) async fn inbox(&self, session: SessionId) -> Result<(Vec<InboxEntry>, u64), StoreError> {
        let mut transaction = self.pool.begin().await.map_err(|e| failed(&e))?;
        let row = sqlx::query("SELECT sid, wake_seq FROM sessions WHERE id = ?")
            .bind(session.to_string())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(|e| failed(&e))?
            .ok_or_else(|| missing("session", &session.to_string()))?;
        let (sid, wake_seq): (i64, i64) =
            (row.try_get(0).map_err(|e| failed(&e))?, row.try_get(1).map_err(|e| failed(&e))?);
        let rows = sqlx::query(INBOX).bind(sid).fetch_all(&mut *transaction).await.map_err(|e| failed(&e))?;
        Ok((rows::inbox(&rows)?, unsigned(wake_seq)))
    }

    pub(super) async fn runnable(&self, owner: &Owner, now: Timestamp, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        let rows = sqlx::query(RUNNABLE)
            .bind(owner.as_str())
            .bind(now.micros())
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(|e| failed(&e))?;
        rows.iter()
            .map(|row| {
                let id: String = row.try_get(0).map_err(|e| failed(&e))?;
                Ok(Claimed { session: id.parse().map_err(|error| damaged(format!("sessions: {error}")))? })
            })
            .collect()
    }

    async fn one(&self, column: &'static str, value: &str) -> Result<(i64, SessionRow), StoreError> {
        let sql = format!("SELECT {SESSION_COLUMNS} FROM sessions WHERE {column} = ?");
        let row =
            sqlx::query(AssertSqlSafe(sql)).bind(value).fetch_optional(&self.pool).await.map_err(|e| failed(&e))?;
        rows::session(&row.ok_or_else(|| missing("session", value))?)
    }
}

fn missing(what: &'static str, id: &str) -> StoreError {
    StoreError::Missing { what, id: id.to_owned() }
}

/// What an inbox row says became of its command.
pub(super) fn outcome_of(row: Option<&SqliteRow>) -> Result<Option<CommandOutcome>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    let text: Option<String> = row.try_get(0).map_err(|e| failed(&e))?;
    text.map(|text| serde_json::from_str(&text).map(CommandOutcome).map_err(|e| damaged(format!("inbox.outcome: {e}"))))
        .transpose()
}

/// A session's last snapshot.
pub(super) async fn snapshot(
    connection: &mut SqliteConnection,
    sid: i64,
) -> Result<Result<Option<Snapshot>, StoreError>, sqlx::Error> {
    let row = sqlx::query("SELECT seq, hash, header FROM snapshots WHERE sid = ?")
        .bind(sid)
        .fetch_optional(&mut *connection)
        .await?;
    let Some(row) = row else { return Ok(Ok(None)) };
    let (seq, hash, header): (i64, Vec<u8>, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    Ok(digest(&hash, "snapshots.hash").map(|hash| Some(Snapshot { seq: Seq(unsigned(seq)), hash, header })))
}

#[async_trait]
impl Reads for SqliteReads {
    async fn session(&self, id: SessionId) -> Result<SessionRow, StoreError> {
        self.one("id", &id.to_string()).await.map(|(_, row)| row)
    }

    async fn by_handle(&self, handle: &Handle) -> Result<SessionId, StoreError> {
        self.one("handle", handle.as_str()).await.map(|(_, row)| row.id)
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError> {
        let mut query = QueryBuilder::<Sqlite>::new(format!("SELECT {SESSION_COLUMNS} FROM sessions WHERE 1 = 1"));
        if let Some(status) = &filter.status {
            query.push(" AND status = ").push_bind(status.as_str());
        }
        if let Some(pack) = &filter.pack {
            query.push(" AND pack = ").push_bind(pack.as_str());
        }
        if let Some(before) = filter.before {
            query.push(" AND id < ").push_bind(before.to_string());
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(filter.limit.min(LIST_MAX)));
        let rows = query.build().fetch_all(&self.pool).await.map_err(|e| failed(&e))?;
        rows.iter().map(|row| rows::session(row).map(|(_, row)| row)).collect()
    }

    async fn records(&self, id: SessionId, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError> {
        let (sid, _) = self.one("id", &id.to_string()).await?;
        // The record that holds `after` itself is wanted too when `after` stands in its middle.
        let sql = RECORDS.replace("first_seq > ?", "last_seq > ?");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(sid).bind(signed(after.0)).bind(i64::from(limit));
        let rows = query.fetch_all(&self.pool).await.map_err(|e| failed(&e))?;
        rows.iter().map(|row| rows::record(row, id)).collect()
    }

    async fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        let row = sqlx::query("SELECT bytes FROM contents WHERE sha256 = ?")
            .bind(digest.as_bytes().as_slice())
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| failed(&e))?
            .ok_or_else(|| missing("content", &digest.hex()))?;
        let bytes: Vec<u8> = row.try_get(0).map_err(|e| failed(&e))?;
        if Digest::of(&bytes) != digest {
            return Err(damaged(format!("contents {digest} does not hash to its key")));
        }
        Ok(bytes)
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<ApprovalRow>, StoreError> {
        let head = format!("SELECT {APPROVAL_COLUMNS} FROM approvals JOIN sessions USING (sid) WHERE 1 = 1");
        let mut query = QueryBuilder::<Sqlite>::new(head);
        if let Some(session) = filter.session {
            query.push(" AND sessions.id = ").push_bind(session.to_string());
        }
        if filter.pending_only {
            query.push(" AND state = 'pending'");
        }
        query.push(" ORDER BY requested_at DESC LIMIT ").push_bind(i64::from(filter.limit.min(LIST_MAX)));
        let rows = query.build().fetch_all(&self.pool).await.map_err(|e| failed(&e))?;
        rows.iter().map(approval).collect()
    }

    async fn approval(&self, id: &ApprovalId) -> Result<ApprovalRow, StoreError> {
        let sql = format!("SELECT {APPROVAL_COLUMNS} FROM approvals JOIN sessions USING (sid) WHERE approvals.id = ?");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(id.as_str());
        let row = query.fetch_optional(&self.pool).await.map_err(|e| failed(&e))?;
        approval(&row.ok_or_else(|| missing("approval", id.as_str()))?)
    }
}

fn approval(row: &SqliteRow) -> Result<ApprovalRow, StoreError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(|e| failed(&e));
    let time = |column: &str| row.try_get::<i64, _>(column).map(Timestamp::from_micros).map_err(|e| failed(&e));
    let hash = |column: &str| {
        row.try_get::<Vec<u8>, _>(column).map_err(|e| failed(&e)).and_then(|bytes| digest(&bytes, column))
    };
    Ok(ApprovalRow {
        id: ApprovalId::new(text("id")?),
        session: text("session")?.parse().map_err(|error| damaged(format!("sessions: {error}")))?,
        call: CallId::new(text("call")?),
        tool: ToolName::new(text("tool")?),
        args: serde_json::from_str(&text("args")?).map_err(|e| damaged(format!("approvals.args: {e}")))?,
        args_hash: hash("args_hash")?,
        policy_digest: hash("policy_digest")?,
        reason: text("reason")?,
        state: text("state")?,
        decided_by: row.try_get::<Option<String>, _>("decided_by").map_err(|e| failed(&e))?.map(Principal::new),
        requested_at: time("requested_at")?,
        expires_at: time("expires_at")?,
        decided_at: row.try_get::<Option<i64>, _>("decided_at").map_err(|e| failed(&e))?.map(Timestamp::from_micros),
    })
}
