//! Text from outside in every place of every face: lists, tables, tails, approvals, reports, log lines. Nothing in it hides, begins a
//! line of ours, or is followed as markup.

use provost_domain::access::AccessRole;
use provost_domain::command::Answer;
use provost_domain::ids::{ApprovalId, SessionId};
use provost_domain::origin::CaseOrigin;
use provost_engine::Case;
use provost_face::hides;
use provost_tests::binary;
use provost_tests::daemon::Daemon;
use provost_tests::desk::{Desk, piped};
use provost_tests::face::Face;
use provost_tests::house::{House, person};
use provost_tests::shop::Shop;
use provost_tests::visitor::Visitor;
use serde_json::{Value, json};
use tokio::process::Command;

/// Moves the cursor, names the window, turns the writing direction, begins lines like ours, and is markup of two languages.
const HOSTILE: &str = "x\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}3D\u{202e}\u{200b}\r\nreason    all is well\n# Heading\n| a | b |\n\
    <img src=x onerror=a()> [l](javascript:a()) `c` \u{feff}";
/// What a line of ours may not begin with.
const FORGED: [&str; 3] = ["reason    all is well", "# Heading", "| a | b |"];

/// Without the colours that are ours.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(after.len());
        if after.split_at(end).1.starts_with('m') {
            rest = after.split_at(end + 1).1;
        } else {
            plain.push_str("\u{1b}[");
            rest = after;
        }
    }
    plain + rest
}

#[track_caller]
fn nothing_hides(face: &str, text: &str) {
    let hidden = text.char_indices().find(|(_, c)| hides(*c) && *c != '\n' && *c != '\t');
    if let Some((at, hidden)) = hidden {
        let around: String = text.split_at(at).0.chars().rev().take(80).collect::<Vec<_>>().into_iter().rev().collect();
        panic!("{face}: {hidden:?} after {around:?}");
    }
}

#[track_caller]
fn nothing_is_forged(face: &str, text: &str, forged: &[&str]) {
    for line in text.lines() {
        assert!(!forged.iter().any(|forged| line.starts_with(forged)), "{face}: {line:?} in {text}");
    }
}

/// What a command prints on a terminal with colours.
async fn printed(url: &str, secret: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(binary::provost().unwrap());
    command.args(arguments).args(["--server", url]).env("PROVOST_TOKEN", secret).env("CLICOLOR_FORCE", "1");
    piped(&mut command);
    let output = command.current_dir("/").output().await.unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!text.is_empty(), "{arguments:?} said nothing");
    plain(&text)
}

async fn commands(url: &str, secret: &str, reads: &[&[&str]]) {
    for arguments in reads {
        let text = printed(url, secret, arguments).await;
        nothing_hides(&arguments.join(" "), &text);
        // In a document a paragraph may say anything; it is no heading and no table.
        let forged = if arguments.contains(&"report") { &FORGED[1..] } else { &FORGED };
        nothing_is_forged(&arguments.join(" "), &text, forged);
    }
}

async fn pages(visitor: &Visitor, paths: &[&str]) {
    for path in paths {
        let page = visitor.get(path).await.text;
        nothing_hides(path, &page);
        assert!(!page.contains("<img src=x"), "{path}: {page}");
    }
}

/// A session in which everything that can be somebody else's text is hostile, up to an approval.
async fn attacked(face: &Face) -> (SessionId, ApprovalId) {
    let house = &face.house;
    let id = SessionId::new(uuid::Uuid::now_v7());
    let fields = json!({"summary": HOSTILE, "environment": "production", "service": HOSTILE});
    let case = Case {
        id,
        pack: "case".into(),
        fields,
        title: HOSTILE.to_owned(),
        by: person(HOSTILE),
        parent: None,
        origin: CaseOrigin::default(),
        start: true,
    };
    house.engine.open(case).await.unwrap();
    let report = json!({"content": HOSTILE, "rationale": HOSTILE, "confidence": 0.9, "signal": "close"});
    house.model.calls(&[
        ("update_case", json!({"summary": format!("{HOSTILE} again"), "level": "high"})),
        ("note_finding", json!({"what": HOSTILE})),
        (HOSTILE, json!({"n": HOSTILE})),
        ("read__gauge", json!({"service": HOSTILE})),
    ]);
    house.model.calls(&[("finish_turn", report)]);
    house.model.text(HOSTILE);
    house.model.calls(&[("act__unsafe", json!({"service": HOSTILE, "reason": HOSTILE}))]);
    let approvals = house.approvals(id, 1).await;
    (id, approvals[0].id.clone())
}

/// Red for each place of a session that shows a text as it came.
#[tokio::test]
async fn a_hostile_session_is_text_in_every_face() {
    let face = Face::over(House::open().await).await;
    let (session, approval) = attacked(&face).await;
    let (id, secret) = (session.to_string(), face.secret(AccessRole::Admin).await);
    let visitor = Visitor::logged_in(&face.url, &secret).await;
    let reads: &[&[&str]] = &[
        &["sessions", "list"],
        &["sessions", "show", &id],
        &["sessions", "tail", &id],
        &["sessions", "report", &id],
        &["approvals", "list", "--all"],
        &["sessions", "show", HOSTILE.trim_end_matches('\u{feff}')],
    ];
    let path = format!("/sessions/{id}");
    let events: Vec<String> =
        (1..=face.house.log(session).await.len()).map(|seq| format!("{path}/events/{seq}")).collect();
    let mut paths = vec!["/sessions", path.as_str(), "/approvals", "/packs", "/tools"];
    paths.extend(events.iter().map(String::as_str));
    commands(&face.url, &secret, reads).await;
    pages(&visitor, &paths).await;

    let document = printed(&face.url, &secret, &["sessions", "report", &id]).await;
    // In a fence nothing is markup.
    let markup = document.split("```").step_by(2).collect::<String>();
    assert!(!markup.contains("](javascript") && !markup.contains("\n<img"), "{document}");
    // What an agent wrote over the case stands beside the case as it came.
    for (face, text) in [
        ("report", document),
        ("show", printed(&face.url, &secret, &["sessions", "show", &id]).await),
        ("card", visitor.get("/approvals").await.text),
        ("page", visitor.get(&path).await.text),
    ] {
        let known = [
            "Written by agents, not as the case came",
            "written   summary by first",
            "Not as the case came",
            "the case came",
        ];
        assert!(known.iter().any(|words| text.contains(words)), "{face}: {text}");
        assert!(text.contains("first") && text.contains("again"), "{face}: {text}");
    }

    let answer = Answer::Reject { reason: HOSTILE.to_owned() };
    face.house.answer(session, &approval, answer).await.unwrap();
    face.house.model.calls(&[(
        "mark_escalated",
        json!({"team": "red", "reason": HOSTILE, "confidence": 0.9, "rationale": HOSTILE}),
    )]);
    face.house.rest(session).await;
    commands(&face.url, &secret, reads).await;
    pages(&visitor, &paths).await;
}

/// Red for each place of a delivery, a token or a log line that shows a text as it came.
#[tokio::test]
async fn hostile_deliveries_and_tokens_are_text_in_every_face() {
    let daemon = Daemon::on(Shop::start("already-healthy").await.with_intake()).await;
    let alert = json!({"version": "4", "groupKey": HOSTILE, "status": HOSTILE, "receiver": HOSTILE, "alerts": [
        {"status": "firing", "labels": {"alertname": HOSTILE, "service": HOSTILE, "environment": "production"},
         "annotations": {"summary": HOSTILE}, "startsAt": HOSTILE, "fingerprint": HOSTILE}]});
    for body in [alert.to_string(), HOSTILE.to_owned(), json!({"alerts": HOSTILE}).to_string()] {
        let sent = daemon.request("intake", reqwest::Method::POST, "/hooks/alertmanager").body(body).send().await;
        let _answer: String = sent.unwrap().text().await.unwrap();
    }
    let deliveries = daemon.get("/v1/deliveries").await;
    let ids: Vec<&str> =
        deliveries["items"].as_array().unwrap().iter().filter_map(|item| item["delivery"].as_str()).collect();
    assert!(!ids.is_empty(), "{deliveries}");
    let secret = daemon.secret("admin");
    commands(&daemon.url, secret, &[&["deliveries", "list"], &["tokens", "list"], &["sessions", "list"]]).await;
    for id in ids {
        let shown = printed(&daemon.url, secret, &["deliveries", "show", id]).await;
        nothing_hides("deliveries show", &shown);
    }
    let visitor = Visitor::logged_in(&daemon.url, secret).await;
    pages(&visitor, &["/sessions", "/tokens", "/approvals"]).await;
}

/// Red where a field of a log line is written as it came.
#[tokio::test]
async fn a_hostile_value_stays_within_its_log_line() {
    let desk = Desk::new();
    for format in ["text", "journal"] {
        let mut command =
            desk.plain(&["serve", "--listen", "127.0.0.1:0", "--log-format", format, "--log-filter", "debug"]);
        command.stderr(std::process::Stdio::from(std::fs::File::create(desk.path("log")).unwrap()));
        let mut daemon = command.spawn().unwrap();
        let mut lines = tokio::io::AsyncBufReadExt::lines(tokio::io::BufReader::new(daemon.stdout.take().unwrap()));
        let line = lines.next_line().await.unwrap().unwrap();
        let url = line.strip_prefix("listening on ").unwrap();
        let client = provost_http::client(None).unwrap().build().unwrap();
        let login = client.post(format!("{url}/login")).form(&[("token", HOSTILE), ("next", HOSTILE)]);
        assert!(login.send().await.unwrap().status().is_client_error());
        daemon.kill().await.unwrap();
        let log = std::fs::read_to_string(desk.path("log")).unwrap();
        assert!(!log.is_empty());
        nothing_hides(format, &log);
        nothing_is_forged(format, &log, &FORGED);
    }
}

/// What programs read is not changed.
#[tokio::test]
async fn json_is_as_it_came() {
    let face = Face::over(House::open().await).await;
    let (session, _) = attacked(&face).await;
    let secret = face.secret(AccessRole::Viewer).await;
    let shown = printed(&face.url, &secret, &["sessions", "show", &session.to_string(), "--output", "json"]).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["title"], HOSTILE);
    assert_eq!(
        shown["field_authors"]["summary"],
        json!({"agent": "first", "seq": shown["field_authors"]["summary"]["seq"], "came_as": HOSTILE})
    );
}
