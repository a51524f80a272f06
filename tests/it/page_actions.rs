//! What people do on the page: each form, its answer as a page and as a line, and what comes of it.

use provost_domain::access::AccessRole;
use provost_domain::command::Ask;
use provost_domain::ids::SessionId;
use provost_domain::model::Message;
use provost_tests::daemon::Daemon;
use provost_tests::face::Face;
use provost_tests::house::House;
use provost_tests::tools::Behaviour;
use provost_tests::visitor::Visitor;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// A session that waits for its approval, and the path of the answer.
async fn asked(daemon: &Daemon) -> (String, String) {
    let session = daemon.open().await;
    let shown = daemon.until(&session, "awaiting_input").await;
    let path = format!("/approvals/{}/decide", shown["approvals_pending"][0].as_str().unwrap());
    (session, path)
}

/// The data of the session's only event of a kind.
async fn event(daemon: &Daemon, session: &str, kind: &str) -> Value {
    let page = daemon.get(&format!("/v1/sessions/{session}/events?page_size=1000")).await;
    let events = page["items"].as_array().unwrap();
    let found: Vec<_> = events.iter().filter(|event| event["kind"] == kind).collect();
    assert_eq!(found.len(), 1, "{kind} in {page:#}");
    found[0]["data"].clone()
}

#[tokio::test]
async fn an_approval_is_read_and_given_on_the_page() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let (session, path) = asked(&daemon).await;
    let viewer = Visitor::logged_in(&daemon.url, daemon.secret("viewer")).await;
    let queue = viewer.get("/approvals").await.text;
    assert!(queue.contains("an approver must answer") && !queue.contains(&path), "{queue}");

    let approver = Visitor::logged_in(&daemon.url, daemon.secret("approver")).await;
    for page in ["/approvals", &format!("/sessions/{session}")] {
        let page = approver.get(page).await;
        assert!(page.text.contains(&format!("action=\"{path}\"")), "{}", page.text);
        let arguments = page.between("<dl class=\"args\">", "</dl>");
        assert!(arguments.contains("<dt>service</dt>") && arguments.contains("set by the session"), "{arguments}");
    }
    let flow = approver.get(&format!("/sessions/{session}")).await.between("<ol class=\"flow\"", "</ol>").to_owned();
    let (before, waiting) = flow.split_once("<li class=\"waits\">").unwrap_or_else(|| panic!("{flow}"));
    assert_eq!(before.matches("<li class=\"done\">").count(), 2, "{flow}");
    let (waiting, ahead) = waiting.split_once("<li class=\"ahead\">").unwrap_or_else(|| panic!("{flow}"));
    assert!(waiting.contains("resolution") && waiting.contains("waits for you"), "{flow}");
    assert!(ahead.contains("watcher") && ahead.contains("not yet"), "{flow}");
    let done = approver.send(&path, &[("answer", "approve"), ("reason", "seen the graph")]).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, format!("/sessions/{session}").as_str()));
    daemon.until(&session, "resolved").await;
    let decided = event(&daemon, &session, "approval_decided").await;
    assert_eq!((&decided["by"], &decided["reason"]), (&json!("user:approver"), &json!("seen the graph")));
    assert_eq!(daemon.shop.witness(), (1, 0));
    let again = approver.send_by_script(&path, &[("answer", "approve")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.text.contains("approval_already_decided") && !again.text.contains("<html"), "{}", again.text);
    let page = approver.get(&format!("/sessions/{session}")).await.text;
    assert!(page.contains("by user:approver") && page.contains("</span> resolved</span>"), "{page}");
    assert_eq!(page.matches("<li class=\"done\">").count(), 4, "every agent gave its report: {page}");
    assert!(approver.get("/approvals").await.text.contains("Nothing waits for approval"));
}

#[tokio::test]
async fn a_rejection_needs_a_reason_and_the_reason_is_kept() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let (session, path) = asked(&daemon).await;
    let approver = Visitor::logged_in(&daemon.url, daemon.secret("approver")).await;
    let missing = approver.send_by_script(&path, &[("answer", "reject"), ("text", " ")]).await;
    assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(missing.text.contains("a reason is needed"), "{}", missing.text);
    let done = approver.send_by_script(&path, &[("answer", "reject"), ("text", "not in the freeze")]).await;
    assert_eq!((done.status, done.header("hx-trigger")), (StatusCode::OK, "news"), "{done:?}");
    assert!(done.text.contains("Rejected."));
    daemon.until(&session, "escalated").await;
    let decided = event(&daemon, &session, "approval_decided").await;
    assert!(decided.to_string().contains("not in the freeze"), "{decided}");
    daemon.told().await;
    assert_eq!(daemon.shop.witness(), (0, 1));
}

#[tokio::test]
async fn edited_arguments_are_checked_and_run() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let (session, path) = asked(&daemon).await;
    let approver = Visitor::logged_in(&daemon.url, daemon.secret("approver")).await;
    let page = approver.get(&format!("/sessions/{session}")).await;
    let editable = page.between("data-json required>", "</textarea>").replace("&quot;", "\"");
    let mut arguments: Value = serde_json::from_str(&editable).unwrap();
    assert_eq!(arguments.get("environment"), None, "the session sets it: {arguments}");
    for (bad, why) in [("{", "no JSON object"), ("[1]", "no JSON object"), ("{\"nonsense\": 1}", "nonsense")] {
        let refused = approver.send_by_script(&path, &[("answer", "edit"), ("args", bad)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}: {refused:?}");
        assert!(refused.text.contains(why), "{bad}: {}", refused.text);
    }
    arguments["reason"] = json!("edited by a person");
    let done = approver.send(&path, &[("answer", "edit"), ("args", &arguments.to_string())]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{done:?}");
    daemon.until(&session, "resolved").await;
    assert_eq!(daemon.shop.witness(), (1, 0));
    assert!(event(&daemon, &session, "approval_decided").await.to_string().contains("edited by a person"));
}

#[tokio::test]
async fn an_answer_in_words_runs_nothing() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let (session, path) = asked(&daemon).await;
    let approver = Visitor::logged_in(&daemon.url, daemon.secret("approver")).await;
    let done = approver.send_by_script(&path, &[("answer", "respond"), ("text", "I did it by hand")]).await;
    assert!(done.text.contains("it does not run"), "{done:?}");
    let decided = event(&daemon, &session, "approval_decided").await;
    assert!(decided.to_string().contains("I did it by hand"), "{decided}");
    assert_eq!(daemon.shop.witness().0, 0);
}

#[tokio::test]
async fn a_session_is_started_and_stopped_on_its_page() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let fields = json!({"summary": "s", "service": "shop", "environment": "production"});
    let body = json!({"pack": "incident", "fields": fields, "start": false});
    let opened = daemon.ask("operator", Method::POST, "/v1/sessions", Some(body)).await;
    let session = opened.body["session"].as_str().unwrap().to_owned();
    let operator = Visitor::logged_in(&daemon.url, daemon.secret("operator")).await;
    let page = format!("/sessions/{session}");
    assert!(operator.get(&page).await.text.contains("<button>Start</button>"));
    let done = operator.send(&format!("{page}/continue"), &[]).await;
    assert_eq!((done.status, done.location()), (StatusCode::SEE_OTHER, page.as_str()));
    daemon.until(&session, "awaiting_input").await;

    let missing = operator.send(&format!("{page}/stop"), &[("reason", " ")]).await;
    assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(missing.text.contains("words are missing") && missing.text.contains("<html"), "{}", missing.text);
    let done = operator.send(&format!("{page}/stop"), &[("reason", "false alarm")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{done:?}");
    daemon.until(&session, "stopped").await;
    let page = operator.get(&page).await.text;
    assert!(page.contains("false alarm") && page.contains("</span> stopped</span>"), "{page}");
    assert!(!page.contains("Stop for good"));
    assert_eq!(daemon.shop.witness(), (0, 0));
}

#[tokio::test]
async fn an_operator_answers_what_an_agent_asks() {
    let face = Face::over(House::open().await).await;
    let session = face.house.session("staging").await;
    face.house.model.finish("operator", 0.4);
    face.house.until(session, "awaiting_input").await;
    let viewer = face.visitor(AccessRole::Viewer).await;
    assert!(viewer.get(&format!("/sessions/{session}")).await.text.contains("an operator must answer"));
    let operator = face.visitor(AccessRole::Operator).await;
    assert!(operator.get(&format!("/sessions/{session}")).await.text.contains("needs your word"));
    let path = format!("/sessions/{session}/say");
    let done = operator.send_by_script(&path, &[("text", "look at the cache")]).await;
    assert!(done.text.contains("Said."), "{done:?}");
    let asked = face.house.model.asked_times(2).await;
    assert!(serde_json::to_string(&asked[1].messages).unwrap().contains("look at the cache"));
    let again = operator.send_by_script(&path, &[("text", "again")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{again:?}");
}

/// Lets a call of a new session lose its answer, and returns both.
async fn doubt(house: &House) -> (SessionId, String) {
    let session = house.session("staging").await;
    house.tools.safe.behave(Behaviour::LosesTheAnswer);
    house.model.finish("close", 0.9);
    house.model.calls(&[("act__safe", json!({"n": 1}))]);
    let folded = house.until(session, "awaiting_input").await;
    (session, folded.unknown().keys().next().unwrap().to_string())
}

/// The words for each way to settle a call, and what the model is then told of it.
const SETTLED: [(&str, &str); 3] = [("happened", "ok"), ("did_not_happen", "failed"), ("give_up", "unknown")];

/// What the model is told of the call it made last.
async fn told(house: &House, asked: usize) -> Value {
    let asked = house.model.asked_times(asked).await;
    let Some(Message::Tool { result, .. }) = asked.last().unwrap().messages.last() else { panic!("{asked:?}") };
    (**result).clone()
}

#[tokio::test]
async fn a_call_in_doubt_is_settled_on_the_page_in_each_way() {
    let face = Face::over(House::open().await).await;
    let operator = face.visitor(AccessRole::Operator).await;
    for (n, (what, status)) in SETTLED.into_iter().enumerate() {
        let (session, call) = doubt(&face.house).await;
        let page = operator.get(&format!("/sessions/{session}")).await.text;
        assert!(page.contains("Did <code>act:safe</code> happen?"), "{page}");
        assert!(page.contains(&format!("value=\"{what}\"")), "{page}");
        let path = format!("/sessions/{session}/settle");
        let missing = operator.send_by_script(&path, &[("call", &call), ("what", what)]).await;
        assert_eq!(missing.status, StatusCode::UNPROCESSABLE_ENTITY, "{missing:?}");
        let fields = [("call", call.as_str()), ("what", what), ("note", "seen in the console")];
        let done = operator.send_by_script(&path, &fields).await;
        assert!(done.text.contains("Settled."), "{done:?}");
        let told = told(&face.house, 3 * (n + 1)).await;
        assert_eq!(told["status"], status);
        assert!(told["detail"].as_str().unwrap().contains("seen in the console"), "{told}");
        assert_eq!(face.house.tools.safe.arrived().len(), n + 1);
        face.house.ask(session, "boss", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    }
}

#[tokio::test]
async fn a_call_in_doubt_is_settled_over_the_api_in_each_way() {
    let face = Face::over(House::open().await).await;
    let operator = face.secret(AccessRole::Operator).await;
    let client = provost_http::client(None).unwrap().build().unwrap();
    for (n, (what, status)) in SETTLED.into_iter().enumerate() {
        let (session, call) = doubt(&face.house).await;
        let url = format!("{}/v1/sessions/{session}/settle", face.url);
        let body = json!({"call": call, "what": what, "note": "seen"}).to_string();
        let settle = || {
            let request = client.post(&url).bearer_auth(&operator).header("content-type", "application/json");
            request.body(body.clone()).send()
        };
        assert_eq!(settle().await.unwrap().status(), StatusCode::OK);
        assert_eq!(told(&face.house, 3 * (n + 1)).await["status"], status);
        assert_eq!(settle().await.unwrap().status(), StatusCode::CONFLICT, "nothing is in doubt any more");
        face.house.ask(session, "boss", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    }
}

#[tokio::test]
async fn a_retry_shows_what_the_policy_says_and_may_be_forced() {
    let face = Face::over(House::open().await).await;
    let house = &face.house;
    let session = house.session("staging").await;
    house.model.finish("close", 0.9);
    house.model.finish("default", 0.9);
    house.until(session, "needs_review").await;
    let operator = face.visitor(AccessRole::Operator).await;
    let page = operator.get(&format!("/sessions/{session}")).await;
    let says = page.between("The retry policy says ", "</p>");
    let forced = says.starts_with("<b>no</b>");
    assert_eq!(page.text.contains("Retry all the same"), forced, "{says}");
    let fields: &[_] = if forced { &[("force", "true")] } else { &[] };
    let done = operator.send(&format!("/sessions/{session}/retry"), fields).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{done:?}");
    house.until(session, "in_progress").await;
    assert_eq!(house.count(session, "retry_started").await, 1);
}

#[tokio::test]
async fn a_note_is_shown_on_the_page_and_in_the_report_also_after_the_end() {
    let face = Face::over(House::open().await).await;
    let session = face.house.session_as("staging", false).await;
    let operator = face.visitor(AccessRole::Operator).await;
    face.house.ask(session, "boss", Ask::Stop { reason: "false alarm".to_owned() }).await.unwrap();
    let blank = operator.send_by_script(&format!("/sessions/{session}/annotate"), &[("text", " ")]).await;
    assert_eq!(blank.status, StatusCode::UNPROCESSABLE_ENTITY, "{blank:?}");
    let text = [("text", "the sensor <b>lies</b>")];
    let done = operator.send_by_script(&format!("/sessions/{session}/annotate"), &text).await;
    assert!(done.text.contains("Noted."), "{done:?}");
    let page = operator.get(&format!("/sessions/{session}")).await.text;
    assert!(page.contains("the sensor &lt;b&gt;lies"), "{page}");
    let (folded, events) = (face.house.folded(session).await, face.house.log(session).await);
    assert_eq!((folded.status().as_str(), face.house.problems(session).await), ("stopped", vec![]));
    let report = provost_face::markdown(&folded, &events).unwrap();
    assert!(report.contains("Note by user\\:"), "{report}");
}
