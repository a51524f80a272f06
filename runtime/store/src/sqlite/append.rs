//! Appends of a batch: one bulk conditional update that tells which still hold their session, then bulk inserts.

use std::collections::HashMap;

use provost_domain::ids::Principal;
use provost_domain::log::AppendRecord;
use provost_domain::port::{Append, Appended, ApprovalChange, StoreError};
use serde_json::json;
use sqlx::{AssertSqlSafe, Row as _, Sqlite, SqliteConnection, Transaction};

use super::rows::{signed, unsigned};
use super::writer::{Answer, Reply, answer};

/// The conditional update is the authority: a row that does not match is not held any more. Without a record, head and
/// hash stay as they are.
const HOLD: &str = "UPDATE sessions SET head_seq = v.head, head_hash = coalesce(unhex(v.hash), sessions.head_hash), status = v.status, ended = v.ended, \
     progress_at = v.at, takeovers = 0, owner = iif(v.ended, NULL, sessions.owner), next_run_at = NULL \
     FROM (SELECT value ->> 'id' AS id, value ->> 'fence' AS fence, value ->> 'owner' AS owner, \
                  value ->> 'expected' AS expected, value ->> 'prev' AS prev, value ->> 'head' AS head, \
                  value ->> 'hash' AS hash, value ->> 'status' AS status, value ->> 'ended' AS ended, value ->> 'at' AS at \
           FROM json_each(?)) AS v \
     WHERE sessions.id = v.id AND sessions.fence = v.fence AND sessions.owner = v.owner \
       AND sessions.head_seq = v.expected AND (v.prev IS NULL OR hex(sessions.head_hash) = upper(v.prev)) \
     RETURNING sessions.id, sessions.sid";

const INSERT_HEAD: &str = "INSERT INTO appends (sid, first_seq, last_seq, fence, cmd_id, at, kinds, payload, salt, digest, prev, hash) VALUES ";
const INSERT_ROW: &str = "(?,?,?,?,?,?,?,?,?,?,?,?)";

pub(super) async fn write_all(
    transaction: &mut Transaction<'_, Sqlite>,
    appends: Vec<(Append, Reply<Appended>)>,
    answers: &mut Vec<Answer>,
) -> Result<(), sqlx::Error> {
    if appends.is_empty() {
        return Ok(());
    }
    let held = hold(transaction, &appends).await?;
    let mut records: Vec<(i64, &AppendRecord)> = Vec::new();
    for (append, _) in &appends {
        let Some(sid) = held.get(&append.session.to_string()) else { continue };
        records.extend(append.record.as_ref().map(|record| (*sid, record)));
        parts(transaction, *sid, append).await?;
    }
    insert_records(transaction, &records).await?;
    for (append, reply) in appends {
        let result = if held.contains_key(&append.session.to_string()) {
            Ok(Appended { head_seq: append.record.map_or(append.expected_seq, |record| record.header.last_seq) })
        } else {
            diagnose(transaction, &append).await?
        };
        answers.push(answer(reply, result));
    }
    Ok(())
}

/// Which sessions are still held as their appends believe: id → internal number.
async fn hold(
    transaction: &mut SqliteConnection,
    appends: &[(Append, Reply<Appended>)],
) -> Result<HashMap<String, i64>, sqlx::Error> {
    let values: Vec<_> = appends
        .iter()
        .map(|(append, _)| {
            let record = append.record.as_ref();
            json!({
                "id": append.session, "fence": append.fence, "owner": append.owner, "expected": append.expected_seq,
                "prev": record.map(|r| r.prev.hex()), "head": record.map_or(append.expected_seq, |r| r.header.last_seq),
                "hash": record.map(|r| r.hash.hex()), "status": append.status, "ended": i64::from(append.ended),
                "at": append.at,
            })
        })
        .collect();
    let rows = sqlx::query(HOLD).bind(serde_json::Value::Array(values).to_string()).fetch_all(transaction).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Inserts in powers of two, so that few statements are prepared and each stays prepared.
async fn insert_records(
    transaction: &mut SqliteConnection,
    records: &[(i64, &AppendRecord)],
) -> Result<(), sqlx::Error> {
    let mut rest = records;
    while !rest.is_empty() {
        let size = 1_usize << rest.len().ilog2();
        let (now, later) = rest.split_at(size);
        let sql = format!("{INSERT_HEAD}{}", vec![INSERT_ROW; size].join(","));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (sid, record) in now {
            let header = &record.header;
            query = query
                .bind(sid)
                .bind(signed(header.first_seq.0))
                .bind(signed(header.last_seq.0))
                .bind(signed(header.fence.0))
                .bind(header.cmd_id.as_str())
                .bind(header.at.micros())
                .bind(header.kinds.as_str())
                .bind(record.payload.as_deref())
                .bind(record.salt.as_ref().map(<[u8; 16]>::as_slice))
                .bind(record.digest.as_bytes().as_slice())
                .bind(record.prev.as_bytes().as_slice())
                .bind(record.hash.as_bytes().as_slice());
        }
        query.execute(&mut *transaction).await?;
        rest = later;
    }
    Ok(())
}

/// The parts that most appends do not have.
async fn parts(transaction: &mut SqliteConnection, sid: i64, append: &Append) -> Result<(), sqlx::Error> {
    for content in &append.contents {
        sqlx::query("INSERT OR IGNORE INTO contents (sha256, bytes) VALUES (?, ?)")
            .bind(content.digest.as_bytes().as_slice())
            .bind(content.bytes.as_slice())
            .execute(&mut *transaction)
            .await?;
    }
    if let Some(snapshot) = &append.snapshot {
        sqlx::query("INSERT OR REPLACE INTO snapshots (sid, seq, hash, header) VALUES (?, ?, ?, ?)")
            .bind(sid)
            .bind(signed(snapshot.seq.0))
            .bind(snapshot.hash.as_bytes().as_slice())
            .bind(snapshot.header.as_slice())
            .execute(&mut *transaction)
            .await?;
    }
    for change in &append.approvals {
        approval(transaction, sid, change).await?;
    }
    for ack in &append.acks {
        sqlx::query("UPDATE inbox SET outcome = ? WHERE sid = ? AND cmd_id = ? AND outcome IS NULL")
            .bind(ack.outcome.0.to_string())
            .bind(sid)
            .bind(ack.cmd_id.as_str())
            .execute(&mut *transaction)
            .await?;
    }
    if !append.acks.is_empty() {
        sqlx::query(
            "UPDATE sessions SET read_seq = iif(EXISTS (SELECT 1 FROM inbox WHERE inbox.sid = sessions.sid AND \
             inbox.outcome IS NULL), read_seq, wake_seq) WHERE sid = ?",
        )
        .bind(sid)
        .execute(&mut *transaction)
        .await?;
    }
    Ok(())
}

async fn approval(transaction: &mut SqliteConnection, sid: i64, change: &ApprovalChange) -> Result<(), sqlx::Error> {
    let query = match change {
        ApprovalChange::Asked(row) => sqlx::query(
            "INSERT OR IGNORE INTO approvals (id, sid, call, tool, args, args_hash, policy_digest, reason, state, \
             requested_at, expires_at) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        )
        .bind(row.id.as_str())
        .bind(sid)
        .bind(row.call.as_str())
        .bind(row.tool.as_str())
        .bind(row.args.to_string())
        .bind(row.args_hash.as_bytes().as_slice())
        .bind(row.policy_digest.as_bytes().as_slice())
        .bind(row.reason.as_str())
        .bind(row.state.as_str())
        .bind(row.requested_at.micros())
        .bind(row.expires_at.micros()),
        ApprovalChange::Decided { id, state, by, edited, at } => sqlx::query(
            "UPDATE approvals SET state = ?, decided_by = ?, decided_at = ?, args = coalesce(?, args), \
             args_hash = coalesce(?, args_hash) WHERE id = ? AND state = 'pending'",
        )
        .bind(*state)
        .bind(by.as_ref().map(Principal::as_str))
        .bind(at.micros())
        .bind(edited.as_ref().map(|(args, _)| args.to_string()))
        .bind(edited.as_ref().map(|(_, hash)| hash.as_bytes().as_slice()))
        .bind(id.as_str()),
    };
    query.execute(transaction).await.map(drop)
}

/// Why an append's session was not held: written before (then it is done), fenced, or stale.
async fn diagnose(
    transaction: &mut SqliteConnection,
    append: &Append,
) -> Result<Result<Appended, StoreError>, sqlx::Error> {
    let row = sqlx::query("SELECT sid, fence, owner FROM sessions WHERE id = ?")
        .bind(append.session.to_string())
        .fetch_optional(&mut *transaction)
        .await?;
    let Some(row) = row else {
        return Ok(Err(StoreError::Missing { what: "session", id: append.session.to_string() }));
    };
    let sid: i64 = row.try_get(0)?;
    if let Some(record) = &append.record {
        let done = sqlx::query("SELECT last_seq FROM appends WHERE sid = ? AND cmd_id = ? AND hash = ?")
            .bind(sid)
            .bind(record.header.cmd_id.as_str())
            .bind(record.hash.as_bytes().as_slice())
            .fetch_optional(&mut *transaction)
            .await?;
        if let Some(done) = done {
            return Ok(Ok(Appended { head_seq: provost_domain::ids::Seq(unsigned(done.try_get(0)?)) }));
        }
    }
    let fence: i64 = row.try_get(1)?;
    let owner: Option<String> = row.try_get(2)?;
    let held = unsigned(fence) == append.fence.0 && owner.as_deref() == Some(append.owner.as_str());
    Ok(Err(if held { StoreError::Stale } else { StoreError::Fenced }))
}
