//! The page in a real browser: from the list to the outcome by clicks, through a killed daemon, by keyboard, at two widths.
//! Pictures of what was seen lie under `target/screenshots`.

use provost_domain::access::AccessRole;
use provost_tests::browser::{Browser, ENTER, TAB};
use provost_tests::daemon::Daemon;
use provost_tests::face::Face;
use provost_tests::house::House;
use provost_tests::pack;
use serde_json::{Value, json};

/// A browser that logged in as a role by the form, and shows the list.
async fn logged_in(daemon: &Daemon, role: &str) -> Browser {
    entered(&daemon.url, daemon.secret(role)).await
}

async fn entered(url: &str, secret: &str) -> Browser {
    let browser = Browser::start().await;
    browser.width(1280).await;
    browser.open(url).await;
    browser.write("#token", secret).await;
    browser.click("#login button").await;
    browser.find("table.sessions").await;
    browser
}

async fn pictures(browser: &Browser, name: &str) {
    for scheme in ["light", "dark"] {
        browser.scheme(scheme).await;
        browser.picture(&format!("{name}-{scheme}"), 1280).await;
        browser.picture(&format!("{name}-{scheme}"), 375).await;
    }
    browser.scheme("light").await;
    browser.width(1280).await;
}

/// The events on the page: position and kind, in the page's order.
async fn on_page(browser: &Browser) -> Value {
    browser
        .run("return [...document.querySelectorAll('#timeline > li')].map(r => [+r.dataset.seq, r.dataset.kind])")
        .await
}

/// The events in the store.
async fn in_store(daemon: &Daemon, session: &str) -> Value {
    let page = daemon.get(&format!("/v1/sessions/{session}/events?page_size=1000")).await;
    page["items"].as_array().unwrap().iter().map(|event| json!([event["seq"], event["kind"]])).collect()
}

/// A selector of the session's page for a status.
fn status(tone: &str) -> String {
    format!("#head .status.tone-{tone}")
}

#[tokio::test]
async fn an_incident_is_followed_and_approved_by_clicks_through_a_killed_daemon() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let browser = logged_in(&daemon, "approver").await;
    browser.run("window.neverReloaded = true").await;
    let session = daemon.open().await;
    browser.find(&format!("#{session} .status.tone-ask")).await;
    assert_eq!(browser.run("return window.neverReloaded").await, true, "the list grew by itself");
    pictures(&browser, "list").await;

    browser.click(&format!("#{session} a")).await;
    browser.find("article.ask button[value=approve]").await;
    browser.run("window.neverReloaded = true").await;
    pictures(&browser, "session-asks").await;

    let fallen = daemon.kill().await;
    browser.find("#line button").await;
    pictures(&browser, "connection-lost").await;
    let daemon = fallen.rise().await;
    browser.gone("#line button").await;

    browser.click("article.ask button[value=approve]").await;
    browser.find(&status("good")).await;
    daemon.until(&session, "resolved").await;
    browser.gone("article.ask").await;
    browser.find("#timeline > li:last-child[data-kind=status_changed]").await;
    assert_eq!(on_page(&browser).await, in_store(&daemon, &session).await);
    assert_eq!(browser.run("return window.neverReloaded").await, true, "the session went on by itself");
    assert_eq!(daemon.shop.witness(), (1, 0));
    pictures(&browser, "session-resolved").await;
    for page in ["packs", "tools", "approvals"] {
        browser.open(&format!("{}/{page}", daemon.url)).await;
        pictures(&browser, page).await;
    }
    assert_eq!(browser.faults().await, Vec::<String>::new());
    browser.quit().await;
}

#[tokio::test]
async fn what_happens_while_the_connection_is_cut_is_caught_up_without_gap_or_repetition() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let session = daemon.open().await;
    let approval = daemon.until(&session, "awaiting_input").await["approvals_pending"][0].clone();
    let browser = logged_in(&daemon, "viewer").await;
    browser.open(&format!("{}/sessions/{session}", daemon.url)).await;
    browser.find("article.ask").await;
    browser.run("window.neverReloaded = true").await;
    assert_eq!(on_page(&browser).await, in_store(&daemon, &session).await);

    let fallen = daemon.kill().await;
    browser.find("#line button").await;
    let approve = ["approvals", "approve", approval.as_str().unwrap(), "--as", "alice"];
    assert_eq!(fallen.shop.last(&approve).await["status"], "resolved");
    let daemon = fallen.rise().await;
    browser.click("#line button").await;
    browser.find(&status("good")).await;
    browser.gone("#line button").await;
    assert_eq!(on_page(&browser).await, in_store(&daemon, &session).await);
    assert_eq!(browser.run("return window.neverReloaded").await, true);
    browser.quit().await;
}

#[tokio::test]
async fn a_rejection_is_given_by_keyboard_alone_and_what_was_typed_survives_news() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let session = daemon.open().await;
    daemon.until(&session, "awaiting_input").await;
    let browser = logged_in(&daemon, "approver").await;
    browser.open(&format!("{}/approvals", daemon.url)).await;
    browser.find("article.ask").await;
    pictures(&browser, "queue").await;
    let focused = "const at = document.activeElement; return [at.className, at.textContent.trim()]";
    browser.press(TAB).await;
    assert_eq!(browser.run(focused).await, json!(["skip", "Skip to content"]));
    // On through what has the focus one after another, to the one that rejects.
    for _ in 0..30 {
        if browser.run(focused).await[1] == "Reject" {
            break;
        }
        browser.press(TAB).await;
    }
    assert_eq!(browser.run(focused).await[1], "Reject");
    browser.press(ENTER).await;
    browser.press(TAB).await;
    browser.press("not in the freeze").await;
    pictures(&browser, "queue-rejecting").await;

    // Another session begins to wait: the queue grows, and the words stay.
    let other = daemon.open().await;
    daemon.until(&other, "awaiting_input").await;
    browser.find("article.ask + article.ask").await;
    assert_eq!(browser.run("return document.activeElement.value").await, "not in the freeze");
    browser.press(TAB).await;
    browser.press(ENTER).await;
    daemon.until(&session, "escalated").await;
    browser.gone("article.ask + article.ask").await;
    browser.find("tr[id^=d-]").await;
    assert_eq!(browser.faults().await, Vec::<String>::new());
    browser.quit().await;
}

/// An agent wrote over the summary that the case came with, and two agents reported, before a person is asked.
#[tokio::test]
async fn whoever_decides_sees_who_wrote_what_they_decide_by() {
    let face = Face::over(House::with(pack::typed()).await).await;
    let session = face.house.session("production").await;
    let summary = "checkout fails since release 1.4.2; only a rollback helps";
    let calls = [("update_case", json!({"summary": summary})), ("read__gauge", json!({"service": "shop"}))];
    face.house.model.calls(&calls);
    face.house.model.asked_times(2).await;
    let log = face.house.log(session).await;
    let seq = log.iter().find(|event| event.body.kind() == "tool_returned").unwrap().seq.0;
    let evidence = format!("{session}/{seq}");
    face.house.model.report(&json!({"real": true, "scope": "every checkout in production", "evidence": [evidence]}));
    let likely = json!({"cause": "release 1.4.2 exhausts the pool", "confidence": 0.8, "for": [evidence], "cause_class": "release"});
    let other = json!({"cause": "more load than usual", "confidence": 0.1, "for": [], "against": [evidence]});
    face.house.model.report(&json!({"hypotheses": [likely, other]}));
    face.house.model.calls(&[("act__unsafe", json!({"service": "shop", "reason": "the release is bad"}))]);
    let approvals = face.house.approvals(session, 1).await;

    let browser = entered(&face.url, &face.secret(AccessRole::Approver).await).await;
    browser.open(&format!("{}/sessions/{session}", face.url)).await;
    let card = format!("#ask-{}", approvals[0].id);
    browser.find(&card).await;
    let text = browser.run(&format!("return document.querySelector('{card}').innerText")).await;
    let text = text.as_str().unwrap();
    for part in ["by closer", "written by closer", "set by the session", summary, "written by first", "it hurts"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    pictures(&browser, "session-decide").await;
    browser.quit().await;
}
