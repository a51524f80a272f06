//! Bad input and a bad place, through the built binary: one clear error that says what to do next, a failing exit code,
//! and nothing half written.

use std::fs;
use std::process::Output;

use provost_store::SqliteStore;
use provost_tests::binary;
use provost_tests::desk::{Desk, finished, piped};
use serde_json::Value;
use tokio::process::Command;

/// One error, on standard error, with every one of these parts.
#[track_caller]
fn refused(output: &Output, parts: &[&str]) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert_eq!(error.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{error}");
    assert!(!error.contains("panicked"), "{error}");
    for part in parts {
        assert!(error.contains(part), "no `{part}`: {error}");
    }
}

async fn check(desk: &Desk, arguments: &[&str], parts: &[&str]) {
    let output = finished(desk.plain(arguments)).await;
    refused(&output, parts);
    assert!(output.stdout.is_empty(), "{output:?}");
}

/// Nothing was written: there is no store.
#[track_caller]
fn untouched(desk: &Desk) {
    for name in ["provost.db", "provost.db-wal", "provost.db.lock"] {
        assert!(!desk.path(name).exists(), "{name}");
    }
}

/// How many sessions a clean store holds.
async fn clean(desk: &Desk) -> u64 {
    let verified = desk.last(&["audit", "verify"]).await;
    assert_eq!(verified["problems"], 0, "{verified}");
    verified["sessions"].as_u64().unwrap()
}

#[tokio::test]
async fn a_bad_configuration_is_named_with_its_place() {
    let desk = Desk::new();
    let good = fs::read_to_string(desk.path("provost.yaml")).unwrap();
    let file = desk.path("provost.yaml").display().to_string();
    let unknown = good.replace("tools:", "toools:");
    let nested = good.replace("{endpoint:", "{endpiont: 1, endpoint:");
    for (content, parts) in [
        (b"store: [".to_vec(), ["provost.yaml:1:", "hint: correct it"]),
        (unknown.into_bytes(), ["unknown key `toools`", "hint: did you mean `tools`?"]),
        (nested.into_bytes(), ["unknown key `endpiont`", "hint: "]),
        (Vec::new(), ["provost.yaml:1:1: ", "hint: "]),
        (vec![0xff, 0x00, 0xfe, 0x7f], ["is not UTF-8", "hint: save it as UTF-8 text"]),
        (vec![b' '; 2 << 20], ["over the limit of 1048576", "hint: split it"]),
    ] {
        fs::write(&file, content).unwrap();
        check(&desk, &["run", "incident", "--input", &desk.alert()], &parts).await;
        let checked = finished(desk.plain(&["config", "check"])).await;
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.code() == Some(1) && parts.iter().all(|part| said.contains(part)), "{checked:?}");
    }
    fs::remove_file(&file).unwrap();
    check(&desk, &["sessions", "list"], &["provost.yaml: cannot be read", "hint: check the path"]).await;
    untouched(&desk);
}

#[tokio::test]
async fn a_missing_pack_is_named() {
    let desk = Desk::new();
    let run = ["run", "nothing", "--input", &desk.alert()];
    check(&desk, &run, &["no pack `nothing` is loaded; the packs are: incident"]).await;
    assert_eq!(clean(&desk).await, 0);
    let desk = Desk::new();
    let config = fs::read_to_string(desk.path("provost.yaml")).unwrap();
    let packs = config.lines().find(|line| line.starts_with("packs:")).unwrap();
    fs::write(desk.path("provost.yaml"), config.replace(packs, "packs: [nowhere]")).unwrap();
    let run = ["run", "incident", "--input", &desk.alert()];
    check(&desk, &run, &["nowhere/pack.yaml: the file is missing", "hint: a pack has pack.yaml here"]).await;
    untouched(&desk);
}

#[tokio::test]
async fn a_bad_alert_is_refused_before_anything_is_opened() {
    let desk = Desk::new();
    let input = desk.path("bad.json").display().to_string();
    let form = "does not have the form of Alertmanager's webhook, version 4";
    for (content, part) in [
        (b"{".to_vec(), form),
        (Vec::new(), form),
        (b"[1, 2]".to_vec(), form),
        (br#"{"version": "4"}"#.to_vec(), form),
        (vec![0xff, 0x00, 0xfe], form),
        (b"[".repeat(100_000), form),
        (
            br#"{"version": "3", "status": "firing", "groupKey": "g", "alerts": []}"#.to_vec(),
            "no alert of the group fires",
        ),
    ] {
        fs::write(&input, content).unwrap();
        check(&desk, &["run", "incident", "--input", &input], &["bad.json", part]).await;
    }
    fs::remove_file(&input).unwrap();
    check(&desk, &["run", "incident", "--input", &input], &["bad.json cannot be opened; check the path"]).await;
    untouched(&desk);
}

/// As a file and through a pipe. Real bytes of a valid beginning: nobody may read them to the end to find out.
#[tokio::test]
async fn an_alert_of_100_mb_is_refused() {
    let desk = Desk::new();
    let input = desk.path("huge.json");
    let mut content = br#"{"version": "4", "status": "firing", "groupKey": ""#.to_vec();
    content.resize(100 << 20, b'x');
    fs::write(&input, content).unwrap();
    let parts = ["over the limit of 16777216 bytes; send one alert group at a time"];
    check(&desk, &["run", "incident", "--input", &input.display().to_string()], &parts).await;
    let mut command = desk.plain(&["run", "incident", "--input", "-"]);
    command.stdin(fs::File::open(&input).unwrap());
    refused(&finished(command).await, &parts);
    untouched(&desk);
}

#[tokio::test]
async fn a_store_held_by_another_process_is_left_to_it() {
    let desk = Desk::new();
    desk.run(&["run", "incident", "--input", &desk.alert()]).await;
    let store = SqliteStore::open(&desk.path("provost.db")).await.unwrap();
    let holder = format!("is held by another process (pid {})", std::process::id());
    let run = ["run", "incident", "--input", &desk.alert()];
    for arguments in [&["sessions", "continue"][..], &run] {
        check(&desk, arguments, &["provost.db", &holder, "stop it, or let that process do it"]).await;
    }
    store.close().await;
    assert_eq!(clean(&desk).await, 1);
}

#[tokio::test]
async fn a_corrupt_store_is_refused_and_left_alone() {
    let desk = Desk::new();
    let file = desk.path("provost.db");
    let garbage = vec![0x5a; 16 * 1024];
    fs::write(&file, &garbage).unwrap();
    for arguments in [["sessions", "list"], ["sessions", "continue"], ["audit", "verify"]] {
        check(&desk, &arguments, &["the store is damaged: ", "provost.db", "restore a backup"]).await;
    }
    assert_eq!(fs::read(&file).unwrap(), garbage);
    for left in ["provost.db", "provost.db.lock"] {
        drop(fs::remove_file(desk.path(left)));
    }
    desk.run(&["run", "incident", "--input", &desk.alert()]).await;
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 3]).unwrap();
    for arguments in [["sessions", "continue"], ["audit", "verify"]] {
        check(&desk, &arguments, &["the store is damaged: ", "restore a backup"]).await;
    }
    // One page in the middle: what can still be read is shown, and the audit says what cannot.
    let mut torn = whole;
    let middle = torn.len() / 2 / 4096 * 4096;
    torn[20_000..middle].fill(0x5a);
    fs::write(&file, &torn).unwrap();
    let audit = desk.run(&["audit", "verify"]).await;
    assert_eq!(audit.status.code(), Some(1), "{audit:?}");
    assert!(String::from_utf8_lossy(&audit.stdout).contains("the store is damaged"), "{audit:?}");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let desk = Desk::new();
    let inside = desk.path("alert.json/provost.db").display().to_string();
    let folder = desk.path("").display().to_string();
    let next = "choose a place this user can write";
    for (store, parts) in [
        ("/proc/provost.db", ["/proc/provost.db.lock", next]),
        (&inside, ["alert.json", next]),
        (&folder, ["is a folder", "name the database file in it"]),
    ] {
        let run = ["run", "incident", "--input", &desk.alert(), "--store", store];
        check(&desk, &run, &parts).await;
    }
    let (locked, mut rights) = (desk.path("locked"), fs::metadata(desk.path("")).unwrap().permissions());
    fs::create_dir(&locked).unwrap();
    rights.set_readonly(true);
    fs::set_permissions(&locked, rights).unwrap();
    if fs::write(locked.join("probe"), "").is_ok() {
        println!("a read-only folder was not tried: this user may write everywhere");
        return;
    }
    let store = locked.join("provost.db").display().to_string();
    check(&desk, &["run", "incident", "--input", &desk.alert(), "--store", &store], &[next]).await;
}

/// Writes fail from `blocks` of 512 bytes on in every file, at the creation of the store and then at later and later
/// writes of a session. The signal is ignored so that the write itself fails.
async fn starved(desk: &Desk, blocks: u32) -> Output {
    let mut command = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    command.args(["-c", &script, "sh"]).arg(binary::provost().unwrap());
    command.args(["run", "incident", "--input", &desk.alert(), "--config"]).arg(desk.path("provost.yaml"));
    piped(&mut command);
    finished(command).await
}

#[tokio::test]
async fn a_write_that_fails_ends_the_process_and_the_next_start_goes_on() {
    let mut begun = 0;
    for blocks in [8, 64, 560, 640, 720, 820, 920, 1020] {
        let desk = Desk::new();
        let output = starved(&desk, blocks).await;
        refused(&output, &["disk I/O error", "check the disk", "then start again"]);
        desk.run(&["sessions", "continue"]).await;
        let sessions = clean(&desk).await;
        begun += sessions;
        if sessions == 1 {
            assert_eq!(desk.last(&["sessions", "list"]).await[0]["status"], "awaiting_input");
        }
    }
    assert!(begun > 2, "only {begun} sessions came to be: raise the limits");
}

/// A filesystem of its own, full after the first events, which then gets room.
const FULL: &str = r#"
mount -t tmpfs -o size=480k none "$FOLDER" || exit 77
p() { "$PROVOST" "$@" --config "$CONFIG" --store "$FOLDER/provost.db" --output json; }
p run incident --input "$ALERT" | tail -n 1
p audit verify
mount -o remount,size=16m "$FOLDER" || exit 77
p sessions continue >"$FOLDER/out"
tail -n 1 "$FOLDER/out"
p audit verify
"#;

#[tokio::test]
async fn a_full_disk_is_said_and_room_is_all_it_takes_to_go_on() {
    let desk = Desk::new();
    fs::create_dir(desk.path("small")).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", FULL]);
    command.env("PROVOST", binary::provost().unwrap()).env("CONFIG", desk.path("provost.yaml"));
    command.env("ALERT", desk.alert()).env("FOLDER", desk.path("small"));
    piped(&mut command);
    let output = match command.output().await {
        Ok(output) if output.status.success() => output,
        other => return println!("a full disk was not tried: no filesystem of our own here ({other:?})"),
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [full, before, went_on, after] = &lines[..] else { panic!("{output:?}") };
    let error = full["error"].as_str().unwrap();
    assert!(error.contains("database or disk is full; free disk space and start again"), "{error}");
    assert_eq!((&before["sessions"], &before["problems"]), (&1.into(), &0.into()), "{said}");
    assert_eq!(went_on["status"], "awaiting_input", "{said}");
    assert_eq!((&after["sessions"], &after["problems"]), (&1.into(), &0.into()), "{said}");
}
