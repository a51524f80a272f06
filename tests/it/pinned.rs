//! A session goes on under the rules it was opened with, whatever pack is configured when it is carried on.

use std::path::Path;

use provost_tests::daemon::Daemon;
use provost_tests::shipped;
use provost_tests::shop::Shop;
use provost_tests::transfer::raw;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Puts another version of the shipped pack in its place: `from` becomes `to` in its manifest.
fn change(shop: &Shop, from: &str, to: &str) {
    shipped::copy(&shop.path("changed"), &|path: &Path, text| {
        let changed = text.replace(from, to);
        assert!(!path.ends_with("pack.yaml") || changed != text, "{from} is not in {}", path.display());
        if path.ends_with("pack.yaml") { changed } else { text }
    });
    let config = std::fs::read_to_string(shop.path("provost.yaml")).unwrap();
    let packs = |folder: &Path| format!("packs: [{}]", folder.display());
    let moved = config.replace(&packs(&shipped::folder()), &packs(&shop.path("changed")));
    assert_ne!(config, moved);
    std::fs::write(shop.path("provost.yaml"), moved).unwrap();
}

async fn pinned(daemon: &Daemon, session: &str) -> Value {
    daemon.get(&format!("/v1/sessions/{session}/events")).await["items"][0]["data"]["pack_digest"].clone()
}

#[tokio::test]
async fn a_waiting_session_keeps_the_pack_it_was_opened_with_when_another_version_is_configured() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let session = daemon.open().await;
    let shown = daemon.until(&session, "awaiting_input").await;
    let fallen = daemon.kill().await;
    change(&fallen.shop, "version: 1\n", "version: 2\n");
    let daemon = fallen.rise().await;
    let newer = daemon.open().await;
    assert_ne!(pinned(&daemon, &session).await, pinned(&daemon, &newer).await);
    let path = format!("/v1/approvals/{}/decide", shown["approvals_pending"][0].as_str().unwrap());
    let approved = daemon.ask("approver", Method::POST, &path, Some(json!({"answer": "approve"}))).await;
    assert_eq!(approved.status, StatusCode::OK, "{approved:?}");
    daemon.until(&session, "resolved").await;
    assert_eq!(daemon.shop.witness().0, 1);
}

#[tokio::test]
async fn a_version_that_does_not_fit_the_tools_of_today_is_said_and_its_session_waits() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let session = daemon.open().await;
    let shown = daemon.until(&session, "awaiting_input").await;
    let fallen = daemon.kill().await;
    let config = std::fs::read_to_string(fallen.shop.path("provost.yaml")).unwrap();
    let packs = format!("packs: [{}]", shipped::folder().display());
    let less = config.replace(&packs, "packs: []").replace("notify:", "http: {allow: []}\n  # notify:");
    std::fs::write(fallen.shop.path("provost.yaml"), less).unwrap();
    let daemon = fallen.rise().await;
    let path = format!("/v1/approvals/{}/decide", shown["approvals_pending"][0].as_str().unwrap());
    let refused = daemon.ask("approver", Method::POST, &path, Some(json!({"answer": "approve"}))).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("pack_changed")), "{refused:?}");
    assert_eq!(daemon.get(&format!("/v1/sessions/{session}")).await["status"], "awaiting_input");
    assert!(daemon.log().contains("does not load any more"), "{}", daemon.log());
}

#[tokio::test]
async fn a_kept_pack_that_is_damaged_stops_its_own_sessions_only() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let session = daemon.open().await;
    let shown = daemon.until(&session, "awaiting_input").await;
    let fallen = daemon.kill().await;
    change(&fallen.shop, "version: 1\n", "version: 2\n");
    raw(&fallen.shop.path("provost.db"), "UPDATE packs SET files = '{not json'").await;
    let daemon = fallen.rise().await;
    let path = format!("/v1/approvals/{}/decide", shown["approvals_pending"][0].as_str().unwrap());
    let refused = daemon.ask("approver", Method::POST, &path, Some(json!({"answer": "approve"}))).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::CONFLICT, &json!("pack_changed")), "{refused:?}");
    assert!(daemon.log().contains("is damaged"), "{}", daemon.log());
    let newer = daemon.open().await;
    daemon.until(&newer, "awaiting_input").await;
}
