//! One session as a file: it comes back byte for byte, never runs by itself, and a file that was touched is refused whole.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use provost_domain::command::Ask;
use provost_domain::event::ApprovalState;
use provost_domain::event::EventBody;
use provost_domain::ids::SessionId;
use provost_domain::port::{ApprovalFilter, Reads as _};
use provost_store::{Examination, Heads, Imported, SqliteReads, SqliteStore, TransferError};
use provost_tests::desk::{Desk, finished};
use provost_tests::every_kind::{self, SESSION};
use provost_tests::house::House;
use provost_tests::model::PATIENCE;
use provost_tests::transfer::{self, exported, importer};
use serde_json::{Value, json};
use tempfile::TempDir;

async fn import(store: &Path, file: &[u8]) -> Result<Imported, TransferError> {
    transfer::import(store, &mut BufReader::new(file)).await
}

/// Sessions of a store in which everything holds.
async fn clean(reads: &SqliteReads) -> u64 {
    let (mut examination, mut count) = (Examination::of(reads), 0);
    while let Some(examined) = examination.next(&mut Heads::new()).await {
        assert_eq!(examined.problems, [], "{examined:?}");
        count += 1;
    }
    count
}

#[tokio::test]
async fn a_session_that_has_ended_comes_back_as_it_was() {
    let folder = TempDir::new().unwrap();
    let here = every_kind::write(&folder.path().join("here.db")).await;
    let file = exported(&here, SESSION).await;
    let there = folder.path().join("there.db");
    let imported = import(&there, &file).await.unwrap();
    assert_eq!((imported.was.as_str(), imported.status.as_str()), ("stopped", "stopped"));
    let there = SqliteStore::open_read_only(&there).await.unwrap();
    assert_eq!(clean(&there).await, 1);
    assert_eq!(exported(&there, SESSION).await, file);
    let filter = ApprovalFilter { session: Some(SESSION), pending_only: false, limit: 10, ..ApprovalFilter::default() };
    assert_eq!(there.approvals(&filter).await.unwrap(), here.approvals(&filter).await.unwrap());
    let row = |reads: SqliteReads| async move { reads.session(SESSION).await.unwrap() };
    let (here, there) = (row(here).await, row(there).await);
    assert_eq!((&there.title, there.created_at, there.head_hash), (&here.title, here.created_at, here.head_hash));
    assert_eq!((there.owner, there.fence, there.next_run_at), (None, here.fence, None));
    assert_eq!(there.progress_at, importer().now, "retention counts its age from the import on");
}

/// A store with a session that waits for an approval, and its file.
async fn waiting(folder: &TempDir) -> (PathBuf, SessionId, Vec<u8>) {
    let path = folder.path().join("here.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let house = House::on(Arc::new(store.clone()), provost_tests::pack::shared()).await;
    let session = house.session("production").await;
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__unsafe", json!({"n": 1}))]);
    house.approvals(session, 1).await;
    // While it runs.
    let file = exported(&store.reads(), session).await;
    house.engine.shutdown(PATIENCE).await;
    store.close().await;
    (path, session, file)
}

#[tokio::test]
async fn one_that_had_not_ended_never_runs_by_itself() {
    let folder = TempDir::new().unwrap();
    let (_, session, file) = waiting(&folder).await;
    let there = folder.path().join("there.db");
    let imported = import(&there, &file).await.unwrap();
    assert_eq!((imported.was.as_str(), imported.status.as_str()), ("awaiting_input", "needs_review"));
    let reads = SqliteStore::open_read_only(&there).await.unwrap();
    assert_eq!(clean(&reads).await, 1);
    reads.close().await;
    let store = SqliteStore::open(&there).await.unwrap();
    let house = House::on(Arc::new(store.clone()), provost_tests::pack::shared()).await;
    // The log says so itself.
    let log = house.log(session).await;
    let signal = log.iter().find_map(|event| match &event.body {
        EventBody::SignalReceived(signal) => Some(signal),
        _ => None,
    });
    assert_eq!(signal.unwrap().source, "import");
    let now = house.folded(session).await;
    assert!(now.status_reason().contains("imported while it was awaiting_input"), "{}", now.status_reason());
    assert!(now.approvals().is_empty() && house.engine.registry().is_empty());
    let filter = ApprovalFilter { session: Some(session), pending_only: false, limit: 10, ..ApprovalFilter::default() };
    assert_eq!(store.approvals(&filter).await.unwrap()[0].state, ApprovalState::Cancelled);
    assert!(house.tools.danger.arrived().is_empty());
    // A person lets it run again.
    house.ask(session, "operator", Ask::Retry { force: true }).await.unwrap();
    house.model.asked_times(1).await;
    assert_eq!(house.problems(session).await, Vec::<String>::new());
    house.engine.shutdown(std::time::Duration::ZERO).await;
    store.close().await;
}

#[tokio::test]
async fn a_file_that_was_touched_is_refused_whole() {
    let folder = TempDir::new().unwrap();
    let here = every_kind::write(&folder.path().join("here.db")).await;
    let file = String::from_utf8(exported(&here, SESSION).await).unwrap();
    let lines: Vec<&str> = file.lines().collect();
    let content = lines.iter().position(|line| line.starts_with("{\"content\"") && line.contains("line 17")).unwrap();
    let join = |lines: &[&str]| lines.iter().flat_map(|line| [*line, "\n"]).collect::<String>();
    let without = |at: usize| join(&[&lines[..at], &lines[at + 1..]].concat());
    let mut swapped = lines.clone();
    swapped.swap(2, 3);
    let renamed = file.replacen("every kind of event", "another title", 1);
    for (touched, line, part) in [
        (String::new(), 1, "it was cut"),
        ("not ours\n".to_owned(), 1, "this is not an exported session"),
        ("{\"log\": 1}\n".to_owned(), 1, "this is not an exported session"),
        ("{\"session\": {\"format\": 2}}\n".to_owned(), 1, "format 2, this program reads 1; upgrade it"),
        (join(&lines[..lines.len() - 1]), lines.len(), "ends before its `end`: it was cut"),
        (file.chars().take(file.len() / 2).collect(), 0, "was cut"),
        (without(1), 2, "is missing, doubled or out of order"),
        (without(3), 4, "is missing, doubled or out of order"),
        (join(&swapped), 3, "is missing, doubled or out of order"),
        (without(content), content + 1, "it names is not in the file"),
        (file.replacen("line 17", "line 71", 1), content + 1, "was changed after it was written"),
        (file.replacen("staging", "nowhere", 1), 2, "was changed after it was written"),
        (file.replacen("\"fence\":1", "\"fence\":7", 1), 2, "its hash does not match"),
        (renamed, lines.len(), "do not add up"),
        (format!("{file}{file}"), lines.len(), "something follows the end"),
        (file.replacen("\"head_seq\":", "\"head_seq\":1", 1), lines.len(), "do not add up"),
    ] {
        let there = folder.path().join("there.db");
        let error = import(&there, touched.as_bytes()).await.unwrap_err();
        let TransferError::File { line: at, what } = &error else { panic!("{error:?}") };
        assert!(what.contains(part) && (line == 0 || *at == line as u64), "{error} instead of line {line}: {part}");
        if there.exists() {
            assert_eq!(clean(&SqliteStore::open_read_only(&there).await.unwrap()).await, 0);
        }
    }
}

#[tokio::test]
async fn what_is_there_is_never_written_over() {
    let folder = TempDir::new().unwrap();
    let here = folder.path().join("here.db");
    let reads = every_kind::write(&here).await;
    let file = exported(&reads, SESSION).await;
    let error = import(&here, &file).await.unwrap_err().to_string();
    assert!(error.contains("is in this store already, and is never written over"), "{error}");
    transfer::raw(&here, "UPDATE sessions SET id = zeroblob(16)").await;
    let error = import(&here, &file).await.unwrap_err().to_string();
    assert!(error.contains("the handle CASE-20261121-0001 is another session's here"), "{error}");
}

/// Through the binary.
#[tokio::test]
async fn the_commands_say_what_they_did() {
    let desk = Desk::new();
    desk.run(&["run", "incident", "--input", &desk.alert()]).await;
    let handle = desk.last(&["sessions", "list"]).await[0]["handle"].as_str().unwrap().to_owned();
    let (file, store) = (desk.path("one.session").display().to_string(), desk.path("other.db").display().to_string());
    let written = desk.last(&["sessions", "export", &handle, "--to", &file]).await;
    assert_eq!((&written["handle"], &written["bytes"]), (&json!(handle), &json!(fs::metadata(&file).unwrap().len())));
    let again = finished(desk.plain(&["sessions", "export", &handle, "--to", &file])).await;
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists already"), "{again:?}");
    let read = desk.last(&["sessions", "import", &file, "--store", &store]).await;
    assert_eq!(
        (&read["handle"], &read["status"], &read["was"]),
        (&json!(handle), &json!("needs_review"), &json!("awaiting_input"))
    );
    let verified: Value = desk.last(&["audit", "verify", "--store", &store]).await;
    assert_eq!((&verified["sessions"], &verified["problems"]), (&json!(1), &json!(0)), "{verified}");
    File::options().write(true).open(&file).unwrap().set_len(1000).unwrap();
    let refused = finished(desk.plain(&["sessions", "import", &file, "--store", &store])).await;
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && error.contains("one.session: line "), "{error}");
}
