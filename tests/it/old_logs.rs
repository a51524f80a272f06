//! Logs that versions of this program wrote, kept for ever: each is read as it was written, and folds to what it did.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use provost_domain::command::Answer;
use provost_domain::event::EventBody;
use provost_domain::ids::Seq;
use provost_domain::port::Reads as _;
use provost_store::{Examination, Heads, Imported, SqliteReads, SqliteStore};
use provost_tests::every_kind;
use provost_tests::house::House;
use provost_tests::model::PATIENCE;
use provost_tests::transfer::{self, raw};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The kept files, the oldest version's first.
fn kept() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/log");
    let files = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let mut found: Vec<PathBuf> = files(&root).iter().flat_map(|version| files(version)).collect();
    found.retain(|path| path.extension().is_some_and(|own| own == "session"));
    found.sort();
    found
}

async fn import(kept: &Path, folder: &TempDir) -> (Imported, SqliteReads) {
    let store = folder.path().join("provost.db");
    let mut file = BufReader::new(File::open(kept).unwrap());
    let imported = transfer::import(&store, &mut file).await.unwrap();
    (imported, SqliteStore::open_read_only(&store).await.unwrap())
}

#[tokio::test]
async fn every_kept_log_is_read_as_it_was_written() {
    for kept in kept() {
        let folder = TempDir::new().unwrap();
        let (imported, reads) = import(&kept, &folder).await;
        assert_eq!(imported.status, imported.was, "{}: keep sessions that have ended", kept.display());
        // The chain, the fold, and everything derived from it.
        let mut examination = Examination::of(&reads);
        let examined = examination.next(&mut Heads::new()).await.unwrap();
        assert_eq!((examined.records, examined.problems), (imported.records, vec![]), "{}", kept.display());
        // What it folded to then.
        let golden = fs::read_to_string(kept.with_extension("json")).unwrap();
        let golden: Value = serde_json::from_str(&golden).unwrap();
        let now: Value =
            serde_json::from_slice(&transfer::folded(&reads, imported.session).await.to_snapshot().unwrap()).unwrap();
        assert_eq!(
            now, golden,
            "if what a session holds changed on purpose, raise `SNAPSHOT` and write this beside {kept:?}, as JSON"
        );
        // Its bytes and hashes.
        let mut again = Vec::new();
        provost_store::export(&reads, imported.session, &mut again).await.unwrap();
        assert!(again == fs::read(&kept).unwrap(), "{} is not exported as it was imported", kept.display());
    }
}

#[tokio::test]
async fn every_kind_of_event_stands_in_a_kept_log() {
    let mut kinds = BTreeSet::new();
    for kept in kept() {
        let folder = TempDir::new().unwrap();
        let (imported, reads) = import(&kept, &folder).await;
        for record in reads.records(imported.session, Seq(0), u32::MAX).await.unwrap() {
            kinds.extend(record.header.kinds.split(',').map(str::to_owned));
        }
    }
    // A tombstone stands in no log that can be exported; the domain's tests keep its bytes.
    kinds.insert("session_erased".to_owned());
    let absent: Vec<&&str> = EventBody::KINDS.iter().filter(|kind| !kinds.contains(**kind)).collect();
    assert!(
        absent.is_empty(),
        "{absent:?}: add them to `every_kind`, and keep its log in a new folder (see its example)"
    );
}

/// A form that changes by accident would leave old logs unreadable.
#[tokio::test]
async fn this_version_writes_what_it_last_said_it_would() {
    let last = kept().into_iter().rfind(|kept| kept.file_stem().is_some_and(|name| name == "every-kind")).unwrap();
    let (reads, session) = every_kind::stored().await;
    let mut written = Vec::new();
    provost_store::export(&reads, session, &mut written).await.unwrap();
    let (written, last) = (String::from_utf8(written).unwrap(), fs::read_to_string(last).unwrap());
    for (line, (now, then)) in (1..).zip(written.lines().zip(last.lines())) {
        assert_eq!(now, then, "line {line}: a form changed; raise its version and add a step (`event/upcast.rs`)");
    }
    assert_eq!(written.lines().count(), last.lines().count());
}

/// Red when `load::take_over` gives up on it: a snapshot is only a short way.
#[tokio::test]
async fn a_snapshot_in_another_versions_form_keeps_no_session_from_going_on() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("provost.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let house = House::on(Arc::new(store.clone()), provost_tests::pack::shared()).await;
    let session = house.session("production").await;
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__unsafe", json!({"n": 1}))]);
    let approval = house.approvals(session, 1).await[0].id.clone();
    house.engine.shutdown(PATIENCE).await;
    store.close().await;
    let snapshot = "INSERT OR REPLACE INTO snapshots (sid, seq, hash, header) SELECT sid, last_seq, hash, CAST('{\"v\":99}' AS BLOB) \
                    FROM appends ORDER BY first_seq LIMIT 1";
    raw(&path, snapshot).await;
    let store = SqliteStore::open(&path).await.unwrap();
    let house = House::on(Arc::new(store.clone()), provost_tests::pack::shared()).await;
    house.answer(session, &approval, Answer::Approve).await.unwrap();
    house.tools.danger.arrived_times(1).await;
    assert_eq!(house.problems(session).await, Vec::<String>::new());
    house.engine.shutdown(PATIENCE).await;
    store.close().await;
}
