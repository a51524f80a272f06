//! The table of claims: who may act on what. What an append takes is looked at in the transaction that takes it, so of two
//! takers one finds the other's row.

use provost_domain::claims::{ClaimKey, ClaimKind};
use provost_domain::ids::{CallId, ToolName};
use provost_domain::port::{ClaimRow, Obstacle, StoreError, TakeClaim};
use provost_domain::time::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use super::bulk::Bulk;
use super::error::{ClaimObstruction, damaged, failed};
use super::held::Held;
use super::rows::{Columns, Sid};
use super::statement::Statement;
use super::tx::{Then, Tx};

pub(super) static RELEASE: Bulk = Bulk::new(
    "UPDATE claims SET released_at = v.column3, idle = v.column4 FROM (VALUES {rows}) AS v \
     WHERE claims.sid = v.column1 AND claims.call = v.column2 AND claims.released_at IS NULL",
    4,
);
pub(super) const TAKE: &str =
    "INSERT INTO claims (key, kind, sid, call, tool, taken_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
/// Like [`TAKE`] where nobody holds the key.
pub(super) const BRING: &str =
    "INSERT OR IGNORE INTO claims (key, kind, sid, call, tool, taken_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
/// What keeps a claim from being taken: who holds the key, who else acted there since ?3, and whether the tool did so ?6
/// times or more since ?5. The rule is the domain's `obstacle`.
pub(super) const OBSTACLE: &str = "SELECT * FROM (SELECT 'taken', sessions.id, claims.taken_at FROM claims JOIN sessions USING (sid) \
       WHERE claims.key = ?1 AND claims.released_at IS NULL AND claims.kind IN ('act', 'procedure') LIMIT 1) \
     UNION ALL SELECT * FROM (SELECT 'acted', sessions.id, claims.released_at FROM claims JOIN sessions USING (sid) \
       WHERE claims.key = ?1 AND claims.sid <> ?2 AND claims.idle = 0 AND claims.released_at > ?3 \
       ORDER BY claims.released_at DESC LIMIT 1) \
     UNION ALL SELECT * FROM (SELECT 'repeated', sessions.id, claims.taken_at FROM claims JOIN sessions USING (sid) \
       WHERE claims.key = ?1 AND claims.tool = ?4 AND claims.idle = 0 AND claims.taken_at > ?5 \
       ORDER BY claims.taken_at DESC LIMIT 1 OFFSET ?6)";
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT sessions.id, claims.key, claims.kind, claims.call, claims.tool, claims.taken_at, claims.released_at, \
               claims.idle FROM claims JOIN sessions USING (sid) ",
            $rest
        )
    };
}
pub(super) const HOLDER: &str =
    select!("WHERE claims.key = ?1 AND claims.released_at IS NULL AND claims.kind IN ('act', 'procedure')");
pub(super) const SHARED: &str = select!(
    "WHERE claims.released_at IS NULL AND claims.kind IN ('act', 'procedure') AND claims.key IN \
       (SELECT key FROM claims WHERE released_at IS NULL AND kind IN ('act', 'procedure') GROUP BY key HAVING count(*) > 1) \
     ORDER BY claims.key, claims.id LIMIT 100"
);
pub(super) const OF: &str = select!("WHERE claims.sid = ?1");

/// Releases, then takes. What cannot be taken ends the transaction with [`ClaimObstruction`].
pub(super) async fn write(tx: &mut Tx<'_>, held: &[Held<'_>]) -> Result<(), sqlx::Error> {
    let released = held.iter().flat_map(|held| held.append.claims.release.iter().map(move |release| (held, release)));
    let released: Vec<_> = released.collect();
    let done = tx.run(&RELEASE, &released, Then::More, |values, (held, release)| {
        values.add(held.sid).add(release.call.as_str()).add(held.append.at.micros()).add(!release.acted);
    });
    done.await?;
    for Held { sid, append } in held {
        for take in &append.claims.take {
            let found = tx.fetch(&look(*sid, take, append.at)).await?;
            let obstacles = found.iter().map(|row| decode_obstacle(row, take)).collect::<Result<Vec<_>, _>>();
            let obstacles = obstacles.map_err(|error| sqlx::Error::Decode(error.into()))?;
            if let Some(obstacle) = obstacles.into_iter().next() {
                let call = take.call.clone();
                return Err(sqlx::Error::Decode(ClaimObstruction { call, obstacle }.into()));
            }
            let (call, tool) = (take.call.as_str(), take.tool.as_str());
            let insert = Statement::new(TAKE).text(take.key.as_str()).text(take.kind.as_str()).number(*sid);
            tx.fetch(&insert.text(call).text(tool).number(append.at.micros())).await?;
        }
    }
    Ok(())
}

/// Takes what is free, for a session that comes with its log.
pub(super) async fn bring(tx: &mut Tx<'_>, sid: Sid, rows: &[ClaimRow]) -> Result<(), sqlx::Error> {
    for row in rows {
        let insert = Statement::new(BRING).text(row.key.as_str()).text(row.kind.as_str()).number(sid);
        tx.fetch(&insert.text(row.call.as_str()).text(row.tool.as_str()).number(row.taken_at.micros())).await?;
    }
    Ok(())
}

fn look(sid: Sid, take: &TakeClaim, now: Timestamp) -> Statement {
    let from = now.minus(take.repeat.within).micros();
    let statement = Statement::new(OBSTACLE).text(take.key.as_str()).number(sid);
    let statement = statement.maybe(take.asked_at.map(Timestamp::micros)).text(take.tool.as_str()).number(from);
    statement.number(i64::from(take.repeat.max.max(1) - 1))
}

fn decode_obstacle(row: &SqliteRow, take: &TakeClaim) -> Result<Obstacle, StoreError> {
    let mut columns = Columns::of("claims", row);
    let (kind, session, at) = (columns.get::<String>()?, columns.session()?, columns.time()?);
    match kind.as_str() {
        "taken" => Ok(Obstacle::Taken { key: take.key.clone(), holder: session, since: at }),
        "acted" => Ok(Obstacle::Acted { key: take.key.clone(), by: session, at }),
        "repeated" => Ok(Obstacle::Repeated { free_at: at.plus(take.repeat.within) }),
        other => Err(damaged(format!("table claims: no obstacle `{other}`"))),
    }
}

pub(super) async fn holder(pool: &SqlitePool, key: &ClaimKey) -> Result<Option<ClaimRow>, StoreError> {
    let row = sqlx::query(HOLDER).bind(key.as_str()).fetch_optional(pool).await.map_err(|error| failed(&error))?;
    row.as_ref().map(decode).transpose()
}

/// Who acts where somebody else acts too, one line each.
pub(super) async fn shared(pool: &SqlitePool) -> Result<Vec<String>, StoreError> {
    let rows = sqlx::query(SHARED).fetch_all(pool).await.map_err(|error| failed(&error))?;
    rows.iter().map(|row| decode(row).map(|row| row.beside_another())).collect()
}

/// All of one session.
pub(super) async fn of(connection: &mut SqliteConnection, sid: Sid) -> Result<Vec<ClaimRow>, StoreError> {
    let rows = sqlx::query(OF).bind(sid).fetch_all(connection).await.map_err(|error| failed(&error))?;
    rows.iter().map(decode).collect()
}

fn decode(row: &SqliteRow) -> Result<ClaimRow, StoreError> {
    let mut columns = Columns::of("claims", row);
    let (session, key) = (columns.session()?, ClaimKey::stored(columns.get::<String>()?));
    let kind = match columns.get::<String>()?.as_str() {
        "act" => ClaimKind::Act,
        other => return Err(columns.wrong(&format!("no kind of claim is `{other}`"))),
    };
    Ok(ClaimRow {
        session,
        key,
        kind,
        call: CallId::new(columns.get::<String>()?),
        tool: ToolName::new(columns.get::<String>()?),
        taken_at: columns.time()?,
        released_at: columns.maybe_time()?,
        idle: columns.get()?,
    })
}
