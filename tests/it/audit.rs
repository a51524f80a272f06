//! `provost audit`: everything that must hold of a store is checked, what does not hold is named, and nothing hides behind it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use provost_domain::command::Ask;
use provost_domain::ids::SessionId;
use provost_domain::invariant::{Fault, Head};
use provost_domain::port::{Clock, Examine as _, Reads as _};
use provost_domain::principal::Principal;
use provost_domain::time::Timestamp;
use provost_engine::Eraser;
use provost_store::{Examination, Examined, Heads, SqliteStore};
use provost_tests::desk::{Desk, finished};
use provost_tests::every_kind;
use provost_tests::house::House;
use provost_tests::model::PATIENCE;
use provost_tests::transfer::{raw, text};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The trigger that keeps an honest program from changing the log.
const UNLOCK: &str = "DROP TRIGGER appends_no_update; DROP TRIGGER appends_no_delete; ";

/// A database with two sessions: one that has ended after every kind of event, and one that waits for an approval.
async fn base(folder: &TempDir) -> (PathBuf, SessionId) {
    let path = folder.path().join("base.db");
    every_kind::write(&path).await.close().await;
    let store = SqliteStore::open(&path).await.unwrap();
    let house = House::on(Arc::new(store.clone()), provost_tests::pack::shared()).await;
    let waiting = house.session("production").await;
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__unsafe", json!({"n": 1}))]);
    house.approvals(waiting, 1).await;
    house.engine.shutdown(PATIENCE).await;
    store.close().await;
    (path, waiting)
}

/// A clock that goes on while it is looked at, as a machine's does.
#[derive(Debug)]
struct Running(AtomicI64);

impl Clock for Running {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.fetch_add(1_237, Ordering::Relaxed))
    }
}

/// Red if what is decided at once had several times, of which the record keeps one.
#[tokio::test]
async fn a_snapshot_is_what_the_log_says_while_the_clock_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let clock = Arc::new(Running(AtomicI64::new(1_700_000_000_000_000)));
    let house = House::timed(Arc::new(store.clone()), clock).await;
    let session = house.session("staging").await;
    for round in 0..3 {
        let calls: Vec<_> = (0..8).map(|n| ("read__gauge", json!({"n": 10 * round + n}))).collect();
        house.model.calls(&calls);
    }
    house.model.finish("close", 0.9);
    house.model.asked_times(5).await;
    house.engine.shutdown(Duration::ZERO).await;
    store.close().await;
    assert_eq!(text(&path, "SELECT CAST(count(*) AS TEXT) FROM snapshots").await, "1");
    let (all, _) = examined(&path, Heads::new()).await;
    assert_eq!(all[0].row.as_ref().unwrap().id, session);
    assert!(all[0].problems.is_empty(), "{:#?}", all[0].problems);
}

async fn examined(path: &Path, mut heads: Heads) -> (Vec<Examined>, Heads) {
    let reads = SqliteStore::open_read_only(path).await.unwrap();
    assert_eq!(reads.damage().await, Vec::<String>::new());
    let mut examination = Examination::of(&reads);
    let mut all = Vec::new();
    while let Some(one) = examination.next(&mut heads).await {
        all.push(one);
    }
    reads.close().await;
    (all, heads)
}

/// What is wrong after this SQL: the fault, and a part of what is said.
async fn check(base: &Path, sql: &str, expect: &[(Fault, &str)]) {
    let path = base.with_extension("case.db");
    fs::copy(base, &path).unwrap();
    raw(&path, sql).await;
    let (all, _) = examined(&path, Heads::new()).await;
    assert!(all.len() >= 2, "what comes after is looked at too: {all:?} after {sql}");
    let problems: Vec<_> = all.iter().flat_map(|one| &one.problems).collect();
    assert_eq!(problems.len(), expect.len(), "{problems:#?} after {sql}");
    for (problem, (fault, part)) in problems.iter().zip(expect) {
        assert!(problem.fault == *fault && problem.what.contains(part), "{problem:?} is not `{part}` after {sql}");
    }
}

#[tokio::test]
async fn what_was_done_to_a_log_is_named() {
    let folder = TempDir::new().unwrap();
    let (base, _) = base(&folder).await;
    check(&base, "", &[]).await;
    let log = |what: &'static str| [(Fault::Log, what)];
    for (sql, what) in [
        (
            "UPDATE appends SET payload = CAST(replace(CAST(payload AS TEXT), 'staging', 'nowhere') AS BLOB) WHERE sid = 1",
            "its payload does not match",
        ),
        ("UPDATE appends SET at = at + 1 WHERE sid = 1 AND first_seq = 1", "its hash does not match"),
        ("UPDATE appends SET prev = zeroblob(32) WHERE sid = 1 AND first_seq = 2", "its previous hash does not match"),
        ("DELETE FROM appends WHERE sid = 1 AND first_seq = 2", "is missing, doubled or out of order"),
        (
            "DELETE FROM appends WHERE sid = 1 AND first_seq = (SELECT max(first_seq) FROM appends WHERE sid = 1)",
            "records are missing",
        ),
        (
            "UPDATE appends SET first_seq = -first_seq WHERE sid = 1 AND first_seq = 2",
            "is missing, doubled or out of order",
        ),
        ("UPDATE appends SET digest = x'00' WHERE sid = 1 AND first_seq = 2", "table appends, column 8"),
        ("DELETE FROM sessions WHERE sid = 1", "which table sessions does not have"),
        ("UPDATE sessions SET pack_digest = x'00' WHERE sid = 1", "table sessions, column 4"),
    ] {
        check(&base, &format!("{UNLOCK}{sql}"), &log(what)).await;
    }
    // What is erased is accounted for by a tombstone; the chain itself holds around it.
    let untold = log("no tombstone ends the log");
    check(&base, &format!("{UNLOCK}UPDATE appends SET payload = NULL, salt = NULL WHERE sid = 1"), &untold).await;
    let one = "UPDATE appends SET payload = NULL, salt = NULL WHERE sid = 1 AND kinds LIKE '%tool_intended%'";
    check(&base, &format!("{UNLOCK}{one}"), &untold).await;
    let cut = "UPDATE appends SET payload = NULL, salt = NULL, digest = zeroblob(32) WHERE sid = 1 AND first_seq = 2";
    check(&base, &format!("{UNLOCK}{cut}"), &log("its hash does not match")).await;
    // Two neighbours in each other's place.
    let swap = "UPDATE appends SET first_seq = 1000 + (SELECT max(last_seq) FROM appends) - first_seq WHERE sid = 1";
    check(&base, &format!("{UNLOCK}{swap}"), &log("is missing, doubled or out of order")).await;
}

#[tokio::test]
async fn what_is_derived_must_say_what_the_log_says() {
    let folder = TempDir::new().unwrap();
    let (base, _) = base(&folder).await;
    let asleep = "UPDATE sessions SET next_run_at = NULL WHERE sid = 2";
    let unread = "INSERT INTO inbox (sid, cmd_id, command) VALUES (2, 'c', '{}')";
    for (sql, fault, what) in [
        (
            "UPDATE sessions SET status = 'resolved' WHERE sid = 1",
            Fault::Projection,
            "the row's status is not the log's",
        ),
        ("UPDATE sessions SET ended = 0 WHERE sid = 1", Fault::Projection, "the row's end is not the log's"),
        ("UPDATE sessions SET handle = 'CASE-0' WHERE sid = 1", Fault::Projection, "the row's handle is not the log's"),
        ("UPDATE sessions SET fence = 1 WHERE sid = 1", Fault::Projection, "the row's fence 1 is below the log's 2"),
        ("UPDATE approvals SET state = 'approved' WHERE sid = 2", Fault::Projection, "is not what the log says"),
        (
            "UPDATE approvals SET args = '{}' WHERE id = 'apr_1'",
            Fault::Projection,
            "approval apr_1 is not what the log",
        ),
        ("DELETE FROM approvals WHERE id = 'apr_2'", Fault::Projection, "approval apr_2 of the log has no row"),
        (
            "UPDATE sessions SET erased_at = 1 WHERE sid = 1",
            Fault::Projection,
            "the row says it was erased at 1970-01-01T00:00:00.000001Z, and no tombstone ends the log",
        ),
        (
            "DELETE FROM contents WHERE length(bytes) = (SELECT max(length(bytes)) FROM contents)",
            Fault::Content,
            "is missing",
        ),
        (
            "UPDATE contents SET bytes = x'00' WHERE length(bytes) = (SELECT max(length(bytes)) FROM contents)",
            Fault::Content,
            "its bytes have another hash",
        ),
        (asleep, Fault::Asleep, "and nobody looks for it"),
        (unread, Fault::Asleep, "1 commands wait in its inbox"),
    ] {
        check(&base, sql, &[(fault, what)]).await;
    }
    // A snapshot in another version's form is not this program's, and no problem.
    let other = "INSERT INTO snapshots (sid, seq, hash, header) SELECT 1, 1, hash, CAST('{\"v\":99}' AS BLOB) FROM appends \
                 WHERE sid = 1 AND first_seq = 1";
    check(&base, other, &[]).await;
    let last = |header: &str| {
        let columns = format!("1, head_seq, head_hash, CAST('{}' AS BLOB)", header.replace('\'', "''"));
        format!("INSERT INTO snapshots (sid, seq, hash, header) SELECT {columns} FROM sessions WHERE sid = 1")
    };
    let header = String::from_utf8(every_kind::folded().to_snapshot().unwrap()).unwrap();
    check(&base, &last(&header), &[]).await;
    let changed = header.replace("enough", "too much");
    check(&base, &last(&changed), &[(Fault::Projection, "is not what the log says")]).await;
    let ahead =
        "INSERT INTO snapshots (sid, seq, hash, header) VALUES (1, 9999, zeroblob(32), CAST('{\"v\":99}' AS BLOB))";
    check(&base, ahead, &[(Fault::Projection, "is ahead of the log")]).await;
    let wrong =
        "INSERT INTO snapshots (sid, seq, hash, header) VALUES (1, 2, zeroblob(32), CAST('{\"v\":99}' AS BLOB))";
    check(&base, wrong, &[(Fault::Projection, "is not what the log says")]).await;
}

/// An erasure that something knows nothing of, or that left something.
#[tokio::test]
async fn an_erasure_must_be_whole() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("base.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let house = House::on(Arc::new(store.clone()), provost_tests::pack::shared()).await;
    for erased in [true, false] {
        let session = house.session_as("staging", false).await;
        if erased {
            house.ask(session, "somebody", Ask::Stop { reason: "done".to_owned() }).await.unwrap();
            house.until(session, "stopped").await;
            let door = Eraser::new(house.engine.clone(), Arc::new(store.clone()));
            door.erase(session, &Principal::parse("somebody"), "asked to").await.unwrap();
        }
    }
    house.engine.shutdown(PATIENCE).await;
    store.close().await;
    check(&path, "SELECT 1", &[]).await;
    let snapshot = "INSERT INTO snapshots (sid, seq, hash, header) \
                    SELECT sid, head_seq, head_hash, x'00' FROM sessions WHERE sid = 1";
    for (sql, what) in [
        ("UPDATE sessions SET erased_at = NULL", "a tombstone ends the log, and the row does not say"),
        (snapshot, "it was erased, and a snapshot of it is left"),
        ("INSERT INTO inbox (sid, cmd_id, command) VALUES (1, 'c', '{}')", "and 1 commands are left in its inbox"),
    ] {
        check(&path, sql, &[(Fault::Projection, what)]).await;
    }
}

/// A log that was cut, or replaced, is whole in itself: only what it once was tells.
#[tokio::test]
async fn a_log_that_was_cut_shows_against_its_head() {
    let folder = TempDir::new().unwrap();
    let (base, waiting) = base(&folder).await;
    let reads = SqliteStore::open_read_only(&base).await.unwrap();
    let row = reads.session(waiting).await.unwrap();
    let gone = SessionId::new(uuid::Uuid::from_u128(77));
    let heads = Heads::from([
        (waiting, Head { seq: row.head_seq, hash: row.head_hash }),
        (gone, Head { seq: row.head_seq, hash: row.head_hash }),
    ]);
    let (all, left) = examined(&base, heads.clone()).await;
    assert!(all.iter().all(|one| one.problems.is_empty()), "{all:?}");
    assert_eq!(left.into_keys().collect::<Vec<_>>(), [gone], "a session that is not there any more is left over");
    let earlier = reads.records(waiting, provost_domain::ids::Seq(0), 1).await.unwrap().remove(0);
    let then = Head { seq: earlier.header.last_seq, hash: earlier.hash };
    let (all, _) = examined(&base, Heads::from([(waiting, then)])).await;
    assert!(all.iter().all(|one| one.problems.is_empty()), "a log may have grown: {all:?}");
    let rewritten = Head { hash: row.head_hash, ..then };
    let (all, _) = examined(&base, Heads::from([(waiting, rewritten)])).await;
    assert!(all[1].problems[0].what.contains("it was rewritten"), "{all:?}");
    reads.close().await;
    let cut = "CREATE TABLE t AS SELECT max(first_seq) AS f FROM appends WHERE sid = 2; \
        DELETE FROM appends WHERE sid = 2 AND first_seq = (SELECT f FROM t); \
        UPDATE sessions SET (head_seq, head_hash) = (SELECT last_seq, hash FROM appends WHERE sid = 2 \
        ORDER BY first_seq DESC LIMIT 1) WHERE sid = 2";
    raw(&base, &format!("{UNLOCK}{cut}")).await;
    let (all, _) = examined(&base, heads).await;
    let cut = all[1].problems.iter().find(|problem| problem.what.contains("it was cut"));
    assert!(cut.is_some_and(|problem| problem.fault == Fault::Log), "{all:?}");
}

/// Through the binary, beside the process that holds the store.
#[tokio::test]
async fn the_command_names_session_record_and_what_to_do() {
    let desk = Desk::new();
    let path = desk.path("provost.db");
    every_kind::write(&path).await.close().await;
    desk.run(&["run", "incident", "--input", &desk.alert()]).await;
    for form in ["json", "text"] {
        let heads = finished(desk.plain(&["audit", "head", "--output", form])).await.stdout;
        fs::write(desk.path("heads"), &heads).unwrap();
        assert_eq!(String::from_utf8(heads).unwrap().lines().count(), 2);
        let verified = desk.last(&["audit", "verify", "--heads", &desk.path("heads").display().to_string()]).await;
        assert_eq!((&verified["sessions"], &verified["problems"]), (&json!(2), &json!(0)), "{verified}");
    }
    let sql = "UPDATE appends SET payload = CAST(replace(CAST(payload AS TEXT), 'staging', 'nowhere') AS BLOB) WHERE sid = 1 AND first_seq = 1; \
               DELETE FROM appends WHERE sid = 2 AND first_seq = 1";
    raw(&path, &format!("{UNLOCK}{sql}")).await;
    let store = SqliteStore::open(&path).await.unwrap();
    let output = desk.run(&["audit", "verify", "--heads", &desk.path("heads").display().to_string()]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [first, second, summary] = &lines[..] else { panic!("{text}") };
    let file = path.display().to_string();
    assert_eq!(first["record"], 1, "{first}");
    for problem in [first, second] {
        assert!(problem["file"] == json!(file) && problem["record"].is_u64(), "{problem}");
        assert!(problem["next"].as_str().unwrap().contains("backup"), "{problem}");
        assert!(problem["session"].as_str().unwrap().starts_with("ses_"), "{problem}");
    }
    assert_eq!((&summary["bad_sessions"], &summary["problems"]), (&json!(2), &json!(2)), "{summary}");
    let said = finished(desk.plain(&["audit", "verify", "CASE-20261121-0001"])).await;
    let said = String::from_utf8(said.stdout).unwrap();
    for part in ["CASE-20261121-0001", "record 1", "was changed after it was written", &file, "1 problems"] {
        assert!(said.contains(part), "no `{part}`: {said}");
    }
    store.close().await;
    fs::write(desk.path("heads"), "ses_1 one\n").unwrap();
    let refused =
        finished(desk.plain(&["audit", "verify", "--heads", &desk.path("heads").display().to_string()])).await;
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.contains("heads:1"), "{error}");
}
