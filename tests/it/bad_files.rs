//! Files that are not as they were left: each is one clear error that names the file or the row and says what to do, and
//! nothing is written over.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use provost_store::SqliteStore;
use provost_tests::binary;
use provost_tests::desk::{Desk, finished, piped};
use provost_tests::every_kind;
use provost_tests::house::House;
use provost_tests::pack;
use provost_tests::transfer::{raw, text};
use serde_json::Value;
use tokio::process::Command;

/// A desk with a store of two sessions that nobody holds.
async fn desk() -> Desk {
    let desk = Desk::new();
    every_kind::write(&desk.path("provost.db")).await.close().await;
    desk.run(&["run", "incident", "--input", &desk.alert()]).await;
    desk
}

/// What was said, on either stream.
fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Each of these commands fails, says each of these parts, and leaves the file as it is.
async fn refused(desk: &Desk, file: &str, commands: &[&[&str]], parts: &[&str]) {
    let before = fs::read(desk.path(file)).unwrap();
    for arguments in commands {
        let output = finished(desk.plain(arguments)).await;
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
        for part in parts {
            assert!(said.contains(part), "{arguments:?} do not say `{part}`: {said}");
        }
        assert!(fs::read(desk.path(file)).unwrap() == before, "{arguments:?} wrote into {file}");
    }
}

const READS: &[&[&str]] = &[&["sessions", "list"], &["audit", "verify"], &["audit", "head"]];
const WRITES: &[&[&str]] = &[&["sessions", "continue"]];

#[tokio::test]
async fn a_corrupt_database() {
    let desk = desk().await;
    let mut bytes = fs::read(desk.path("provost.db")).unwrap();
    // The root page of the schema, behind the header that still looks well.
    bytes[100..2000].fill(0xff);
    fs::write(desk.path("provost.db"), bytes).unwrap();
    let parts = ["the store is damaged", "provost.db", "keep the file", "restore a backup"];
    refused(&desk, "provost.db", &[READS, WRITES].concat(), &parts).await;
    let to = desk.path("copy.db").display().to_string();
    refused(&desk, "provost.db", &[&["backup", "--to", &to]], &parts).await;
    assert!(!desk.path("copy.db").exists() && !desk.path("copy.db.partial").exists());
}

/// SQLite itself takes a write-ahead log that was cut for its beginning. Its index tells more, and where that is gone too, the
/// heads do.
#[tokio::test]
async fn a_truncated_write_ahead_log() {
    let desk = desk().await;
    let heads = desk.path("heads").display().to_string();
    let files = ["provost.db", "provost.db-wal", "provost.db-shm"].map(|name| desk.path(name));
    let [_, ahead, index] = &files;
    // A process that was killed after its last answer, which the write-ahead log alone holds.
    let store = SqliteStore::open(&files[0]).await.unwrap();
    let house = House::on(Arc::new(store.clone()), pack::shared()).await;
    for _ in 0..3 {
        house.session_as("staging", false).await;
    }
    fs::write(&heads, finished(desk.plain(&["audit", "head"])).await.stdout).unwrap();
    let killed = files.each_ref().map(|file| fs::read(file).unwrap());
    house.engine.shutdown(Duration::ZERO).await;
    store.close().await;
    let as_killed = || files.iter().zip(&killed).for_each(|(file, bytes)| fs::write(file, bytes).unwrap());
    let cut = || fs::write(ahead, &killed[1][..killed[1].len() * 2 / 3]).unwrap();
    let verify = ["audit", "verify", "--heads", &heads];
    as_killed();
    assert_eq!(desk.last(&verify).await["problems"], 0);
    as_killed();
    cut();
    let parts = ["the store is damaged", "provost.db-wal: only the first", "restore a backup", "provost.db-shm away"];
    let copy = desk.path("copy.db").display().to_string();
    for file in ["provost.db", "provost.db-wal", "provost.db-shm"] {
        refused(&desk, file, &[READS, WRITES].concat(), &parts).await;
        refused(&desk, file, &[&["backup", "--to", &copy]], &parts).await;
    }
    fs::remove_file(index).unwrap();
    let parts = ["the whole session is missing; its log once ended at event", "provost.db", "backup"];
    refused(&desk, "provost.db", &[&verify], &parts).await;
}

#[tokio::test]
async fn a_newer_schema() {
    let desk = desk().await;
    raw(&desk.path("provost.db"), "PRAGMA user_version = 99").await;
    let parts = ["provost.db has schema 99", "run the newer provost that wrote it"];
    refused(&desk, "provost.db", &[READS, WRITES].concat(), &parts).await;
}

/// Of a newer version is also an event's form: the sessions beside it go on.
#[tokio::test]
async fn an_event_of_a_newer_version() {
    let desk = desk().await;
    let path = desk.path("provost.db");
    // As the newer version would seal it: the chain holds, the kind is unknown.
    let record = every_kind::newer();
    raw(&path, &record).await;
    let verified = desk.run(&["audit", "verify"]).await;
    let said = said(&verified);
    assert_eq!(verified.status.code(), Some(1), "{said}");
    for part in
        ["event `moon_landed` version 1 was written by a newer provost", "upgrade this program", "\"bad_sessions\":1"]
    {
        assert!(said.contains(part), "no `{part}`: {said}");
    }
}

#[tokio::test]
async fn another_programs_database_and_a_random_file() {
    let desk = Desk::new();
    let file = desk.path("provost.db");
    fs::write(&file, b"").unwrap();
    raw(&file, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1); PRAGMA application_id = 77").await;
    let parts = ["provost.db is not a provost store", "name another file"];
    refused(&desk, "provost.db", &[READS, WRITES].concat(), &parts).await;
    fs::write(&file, (0..40_000_u32).map(|n| (n * 7 % 251) as u8).collect::<Vec<u8>>()).unwrap();
    let parts = ["the store is damaged", "provost.db", "restore a backup"];
    refused(&desk, "provost.db", &[READS, WRITES].concat(), &parts).await;
    let import =
        ["sessions", "import", &file.display().to_string(), "--store", &desk.path("new.db").display().to_string()];
    refused(&desk, "provost.db", &[&import], &["provost.db: line 1", "this is not an exported session"]).await;
    assert!(!desk.path("new.db").exists());
}

/// Of one session, by row: the others are served, and no record is touched.
#[tokio::test]
async fn a_tampered_a_missing_and_a_reordered_append() {
    let unlock = "DROP TRIGGER appends_no_update; DROP TRIGGER appends_no_delete; ";
    let handle = "CASE-20261121-0001";
    for (sql, record, part) in [
        ("UPDATE appends SET salt = zeroblob(16) WHERE sid = 1 AND first_seq = 2", 2, "its payload does not match"),
        ("DELETE FROM appends WHERE sid = 1 AND first_seq = 1", 2, "a record is missing, doubled or out of order"),
        (
            "UPDATE appends SET first_seq = 9000 - first_seq, last_seq = 9000 - last_seq WHERE sid = 1",
            0,
            "a record is missing, doubled or out of order",
        ),
    ] {
        let desk = desk().await;
        let path = desk.path("provost.db");
        raw(&path, &format!("{unlock}{sql}")).await;
        let log = "SELECT hex(group_concat(first_seq || hex(payload) || hex(hash))) FROM appends";
        let before = text(&path, log).await;
        let verified = desk.run(&["audit", "verify"]).await;
        let first = said(&verified).lines().next().unwrap_or_default().to_owned();
        let problem: Value = serde_json::from_str(&first).unwrap();
        assert_eq!((verified.status.code(), problem["handle"].as_str()), (Some(1), Some(handle)), "{problem}");
        assert!(problem["problem"].as_str().unwrap().contains(part), "{problem}");
        assert!(record == 0 || problem["record"] == record, "{problem}");
        let shown = finished(desk.plain(&["sessions", "tail", handle])).await;
        let error = said(&shown);
        assert!(
            shown.status.code() == Some(1) && error.contains("keep the file and run `provost audit verify`"),
            "{error}"
        );
        let to = desk.path("out.session").display().to_string();
        let exported = finished(desk.plain(&["sessions", "export", handle, "--to", &to])).await;
        assert!(exported.status.code() == Some(1) && said(&exported).contains(part), "{}", said(&exported));
        assert!(!desk.path("out.session").exists() && !desk.path("out.session.partial").exists());
        desk.run(&["sessions", "continue"]).await;
        assert_eq!(desk.last(&["sessions", "list"]).await.as_array().unwrap().len(), 2);
        assert_eq!(text(&path, log).await, before);
    }
}

/// A filesystem of its own that is mounted for reading only.
const READ_ONLY: &str = r#"
mount -t tmpfs -o size=16m none "$FOLDER" || exit 77
cp "$STORE" "$FOLDER/provost.db" && cp "$COPY" "$FOLDER/copy.db" && mount -o remount,ro "$FOLDER" || exit 77
p() { "$PROVOST" "$@" --config "$CONFIG" --output json; echo "code $?"; }
p sessions continue --store "$FOLDER/provost.db"
p run incident --input "$ALERT" --store "$FOLDER/provost.db"
p backup --to "$FOLDER/other.db" --store "$STORE"
p sessions list --store "$FOLDER/provost.db"
p audit verify --store "$FOLDER/copy.db"
cmp "$STORE" "$FOLDER/provost.db" && cmp "$COPY" "$FOLDER/copy.db" && echo same
"#;

#[tokio::test]
async fn a_read_only_disk() {
    let desk = desk().await;
    fs::create_dir(desk.path("disk")).unwrap();
    let made = desk.last(&["backup", "--to", &desk.path("copy.db").display().to_string()]).await;
    assert_eq!(made["problems"], 0, "{made}");
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", READ_ONLY]);
    command.env("PROVOST", binary::provost().unwrap()).env("CONFIG", desk.path("provost.yaml"));
    command.env("ALERT", desk.alert()).env("FOLDER", desk.path("disk"));
    command.env("STORE", desk.path("provost.db")).env("COPY", desk.path("copy.db"));
    piped(&mut command);
    let output = match command.output().await {
        Ok(output) if output.status.success() => output,
        other => return println!("a read-only disk was not tried: no filesystem of our own here ({other:?})"),
    };
    let said = said(&output);
    let mut answers = said.split("code ");
    for (file, part) in
        [("provost.db", "Read-only file system"), ("provost.db", "choose a place"), ("other.db", "choose a place")]
    {
        let answer = answers.next().unwrap();
        assert!(answer.contains(file) && answer.contains(part), "{answer} in {said}");
    }
    let listed = answers.next().unwrap();
    assert!(listed.contains("provost.db: ") && listed.contains("copy"), "{listed}");
    let verified = answers.next().unwrap();
    assert!(verified.contains("\"problems\":0") && verified.contains("\"sessions\":2"), "{verified}");
    assert_eq!(said.matches("code 1").count(), 4, "{said}");
    assert!(said.trim_end().ends_with("same"), "{said}");
    assert!(Path::new(&desk.path("provost.db")).is_file());
}
