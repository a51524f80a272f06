//! Every statement, prepared against the schema: a misspelt column or a lost index shows here.

use std::path::Path;

use provost_domain::status::Status;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _, SqliteConnection};

use super::bulk::{Bulk, Frame, SIZES};
use super::settings::options;
use super::{
    append, approvals, attention, claims, contents, deliveries, erasure, examine, imports, inbox, outbox, packs, prune,
    records, requests, schema, session_row, sessions, snapshots, tokens, transaction,
};

const BULKS: [&Bulk; 22] = [
    &append::HOLD,
    &append::INSERT,
    &append::RECORDS,
    &append::RELEASE,
    &approvals::ASK,
    &approvals::EXTEND,
    &approvals::DECIDE,
    &attention::MARK,
    &claims::RELEASE,
    &contents::INSERT,
    &contents::REFER,
    &deliveries::INSERT,
    &imports::INSERT,
    &inbox::INSERT,
    &inbox::WAKE,
    &inbox::SETTLE,
    &inbox::READ,
    &inbox::UNREAD,
    &sessions::INSERT,
    &sessions::TAKE_OVER,
    &sessions::PARK,
    &snapshots::UPSERT,
];
/// Statements that lack a guard.
#[cfg(feature = "controls")]
const UNGUARDED: &[&Bulk] = &[&append::HOLD_UNFENCED, &sessions::PARK_UNFENCED, &sessions::PARK_UNSEEN];
#[cfg(not(feature = "controls"))]
const UNGUARDED: &[&Bulk] = &[];
const SINGLES: [&str; 72] = [
    append::DIAGNOSE,
    approvals::SELECT,
    approvals::LIST,
    approvals::LIST_OLDEST,
    approvals::LIST_PENDING,
    approvals::LIST_PENDING_OLDEST,
    approvals::LIST_OF_SESSION,
    approvals::OF,
    attention::DUE,
    attention::LOOKED,
    attention::NEWS,
    attention::NEXT,
    claims::BRING,
    claims::HOLDER,
    claims::OBSTACLE,
    claims::OF,
    claims::TAKE,
    contents::SELECT,
    deliveries::DISMISS,
    deliveries::DROP_PLAN,
    deliveries::EMPTY,
    deliveries::FINISH,
    deliveries::GROUP,
    deliveries::KEEP,
    deliveries::LINK,
    deliveries::LIST,
    deliveries::MARKS,
    deliveries::MARK_ERASED,
    deliveries::PLAN,
    deliveries::REMEMBER,
    deliveries::SELECT,
    deliveries::WAITING,
    deliveries::WORK,
    examine::NEXT_LOG,
    examine::NEXT_ROW,
    examine::UNREAD,
    imports::FIND,
    inbox::OUTCOME,
    inbox::SID,
    outbox::AGAIN,
    outbox::DUE,
    outbox::ENQUEUE,
    outbox::ENQUEUE_AT,
    outbox::LIST,
    outbox::LIST_OF_SESSION,
    outbox::QUEUED,
    outbox::SELECT,
    outbox::TRIED,
    packs::KEEP,
    packs::NEEDED,
    records::RECORDS,
    records::RECORDS_AFTER,
    records::RECORDS_BETWEEN,
    requests::ANSWER,
    requests::CLAIM,
    requests::FORGET,
    requests::LINK,
    requests::RENEW,
    requests::SELECT,
    session_row::BY_ID,
    session_row::BY_SID,
    session_row::BY_HANDLE,
    session_row::LAST_HANDLE,
    session_row::LIST,
    session_row::RUNNABLE,
    snapshots::SELECT,
    snapshots::SELECT_OF,
    tokens::LIST,
    tokens::MINT,
    tokens::REVOKE,
    tokens::SELECT,
    tokens::USED,
];
const TABLES: [&str; 16] = [
    "appends",
    "approvals",
    "attention",
    "claims",
    "content_refs",
    "contents",
    "deliveries",
    "delivery_groups",
    "delivery_refs",
    "inbox",
    "marks",
    "outbox",
    "request_refs",
    "requests",
    "sessions",
    "snapshots",
];
const TRANSACTION: [&str; 7] = [
    transaction::BEGIN,
    transaction::COMMIT,
    transaction::ROLLBACK,
    transaction::SAVEPOINT,
    transaction::UNDO,
    transaction::RELEASE,
    transaction::CHECKPOINT,
];

async fn database() -> SqliteConnection {
    let mut connection = options(Path::new(":memory:")).connect().await.unwrap();
    for (_, step) in schema::MIGRATIONS {
        sqlx::raw_sql(step).execute(&mut connection).await.unwrap();
    }
    connection
}

/// The plan's steps; preparing fails on anything misspelt.
async fn plan(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(connection).await;
    rows.unwrap_or_else(|error| panic!("{error} in {sql}")).iter().map(|row| row.get("detail")).collect()
}

#[tokio::test]
async fn no_statement_reads_a_whole_table() {
    let mut connection = database().await;
    let sized =
        BULKS.iter().chain(UNGUARDED).flat_map(|bulk| (0..SIZES.len()).map(|size| bulk.sql(Frame::Between, size).0));
    let singles = SINGLES.into_iter().chain(erasure::OTHERS).chain(erasure::WIPES).chain(prune::ALL).map(Into::into);
    let scripts: Vec<std::sync::Arc<str>> = sized.chain(singles).collect();
    for sql in scripts.iter().flat_map(|script| script.split(';')) {
        for step in plan(&mut connection, sql).await {
            let table = TABLES.iter().any(|table| step.starts_with(&format!("SCAN {table}")));
            assert!(!table || step.contains(" USING "), "{step} in {sql}");
            assert!(!step.contains("AUTOMATIC"), "a table is walked to look into the values: {step} in {sql}");
        }
    }
}

#[tokio::test]
async fn transactions_are_prepared_too() {
    let mut connection = database().await;
    for sql in TRANSACTION {
        sqlx::raw_sql(AssertSqlSafe(format!("EXPLAIN {sql}"))).execute(&mut connection).await.unwrap();
    }
}

#[test]
fn the_schema_names_the_ends_that_a_person_can_leave() {
    let ends = [Status::NeedsReview, Status::Error];
    assert!(ends.iter().all(|end| end.is_end() && !end.is_final()));
    let words = format!("ended = 0 OR status IN ({})", ends.map(|end| format!("'{end}'")).join(", "));
    assert!(include_str!("packs.sql").contains(&words) && packs::NEEDED.contains(&words));
}

#[test]
fn the_schema_names_the_status_that_means_work() {
    let word = format!("'{}'", Status::InProgress);
    assert!(include_str!("schema.sql").contains(&word) && session_row::RUNNABLE.contains(&word));
}
