//! What the writer's statements cost, in steps of the database's machine: the same however much is stored that they have
//! nothing to do with.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use provost_domain::event::SessionErased;
use provost_domain::ids::{CmdId, Digest, Fence, Seq, SessionId};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::port::{Erase, KeptAnswer, Prunable};
use provost_domain::principal::Principal;
use provost_domain::time::Timestamp;
use sqlx::sqlite::SqlitePoolOptions;
use sqlx::{AssertSqlSafe, SqlitePool};

use super::settings::options;
use super::statement::Statement;
use super::{erasure, prune, requests, schema};

/// Few others, and many.
const OTHERS: [usize; 2] = [10, 2_000];
/// When everything here happened, and later.
const THEN: Timestamp = Timestamp::from_micros(10);
const LATER: Timestamp = Timestamp::from_micros(20);

/// A database of one connection with session 1, which has ended, and session 2, which is open.
async fn database() -> SqlitePool {
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options(Path::new(":memory:"))).await.unwrap();
    for (_, step) in schema::MIGRATIONS {
        sqlx::raw_sql(step).execute(&pool).await.unwrap();
    }
    for (n, ended) in [(1, 1), (2, 0)] {
        let sql = format!(
            "INSERT INTO sessions (sid, id, handle, pack, pack_digest, status, ended, title, head_seq, head_hash, fence, \
             wake_seq, read_seq, progress_at, takeovers, created_at) VALUES ({n}, unhex('{}'), 'A-20261121-000{n}', 'p', x'', \
             's', {ended}, 't', 0, zeroblob(32), 1, 0, 0, 10, 0, 10)",
            id(n).uuid().as_simple()
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&pool).await.unwrap();
    }
    pool
}

fn id(n: u128) -> SessionId {
    SessionId::new(uuid::Uuid::from_u128(n))
}

/// Executes them and counts their steps.
async fn steps(pool: &SqlitePool, statements: &[Statement]) -> u64 {
    let mut connection = pool.acquire().await.unwrap();
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let count = move || counted.fetch_add(1, Ordering::Relaxed) < u64::MAX;
    connection.lock_handle().await.unwrap().set_progress_handler(1, count);
    for statement in statements {
        statement.execute(&mut connection).await.unwrap();
    }
    connection.lock_handle().await.unwrap().remove_progress_handler();
    steps.load(Ordering::Relaxed)
}

async fn rows(pool: &SqlitePool, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(pool).await.unwrap()
}

/// An answer about a session, under a key of its own.
async fn answered(pool: &SqlitePool, key: usize, about: SessionId) {
    let key = Digest::of(&key.to_be_bytes());
    let body = format!("{{\"session\":\"{about}\"}}").into_bytes();
    let answer = KeptAnswer { status: 201, content_type: String::new(), location: None, body };
    steps(pool, &requests::claim(key, key, THEN, Timestamp::default())).await;
    steps(pool, &requests::answer(key, &answer).unwrap()).await;
}

fn erase() -> Erase {
    let erased = SessionErased { by: Principal::parse("a"), reason: "r".to_owned(), events: 0 };
    let tombstone = AppendRecord::seal(Unsealed {
        session: id(1),
        after: Seq(0),
        fence: Fence(2),
        cmd_id: CmdId::new("e"),
        at: LATER,
        events: &[erased.into()],
        salt: [1; 16],
        prev: Digest::default(),
    })
    .unwrap();
    Erase { session: id(1), fence: Fence(1), head: (Seq(0), Digest::default()), tombstone, at: LATER }
}

#[tokio::test]
async fn an_erasure_costs_what_its_session_left() {
    let mut costs = Vec::new();
    for others in OTHERS {
        let pool = database().await;
        for key in 0..others {
            answered(&pool, key, id(2)).await;
        }
        answered(&pool, others, id(1)).await;
        costs.push(steps(&pool, &erasure::erase(&erase())).await);
        let left = rows(&pool, "SELECT count(*) FROM requests WHERE status IS NOT NULL").await;
        assert_eq!(usize::try_from(left), Ok(others), "its own answer is gone");
    }
    assert_eq!(costs[0], costs[1]);
}

#[tokio::test]
async fn pruning_costs_what_is_pruned() {
    let mut costs = Vec::new();
    for others in OTHERS {
        let pool = database().await;
        // Groups of an open session, and one of an ended one.
        let fill = format!(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT {others}) \
             INSERT INTO delivery_groups (grp, session) SELECT CAST(n AS BLOB), (SELECT id FROM sessions WHERE sid = 2) FROM n; \
             INSERT INTO delivery_groups (grp, session) SELECT x'ff', id FROM sessions WHERE sid = 1; \
             INSERT INTO marks (grp, mark, ended) VALUES (x'ff', 'm', 1); \
             INSERT INTO deliveries (seq, id, source, grp, sender, state, note, session, received_at, body) \
             SELECT sid, sid, 's', x'ff', 'a', 'done', '', id, 10, x'00' FROM sessions; \
             INSERT INTO delivery_refs (delivery, session) SELECT 1, id FROM sessions"
        );
        sqlx::raw_sql(AssertSqlSafe(fill)).execute(&pool).await.unwrap();
        let statements = prune::prune(&pool, Prunable::Deliveries, LATER, 500).await.unwrap();
        costs.push(steps(&pool, &statements).await);
        let left = rows(&pool, "SELECT count(*) FROM delivery_groups").await;
        assert_eq!(usize::try_from(left), Ok(others), "what an open session came from stays");
        assert_eq!(rows(&pool, "SELECT count(*) FROM marks").await, 0);
        assert_eq!(rows(&pool, "SELECT sum(seq) FROM deliveries").await, 2);
        assert_eq!(rows(&pool, "SELECT count(*) FROM delivery_refs").await, 0, "what is gone speaks of nobody");
    }
    assert_eq!(costs[0], costs[1]);
}

#[tokio::test]
async fn a_claim_forgets_a_few_old_notes_and_its_own() {
    let pool = database().await;
    for key in 0..100 {
        answered(&pool, key, id(2)).await;
    }
    let last = Digest::of(&99_usize.to_be_bytes());
    steps(&pool, &requests::claim(last, last, LATER, LATER)).await;
    assert_eq!(
        rows(&pool, "SELECT count(*) FROM requests WHERE at = 20 AND status IS NULL").await,
        1,
        "its own is new"
    );
    let left = rows(&pool, "SELECT count(*) FROM requests").await;
    assert!((50..100).contains(&left), "{left}");
    assert_eq!(rows(&pool, "SELECT count(*) FROM request_refs").await, left - 1, "what is forgotten refers to nothing");
}
