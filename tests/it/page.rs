//! The page of the built binary: who comes in, what protects it, and that nothing from outside becomes markup.

use std::collections::BTreeSet;

use provost_face::{Steer, SteerVisitor};
use provost_tests::daemon::{Daemon, ROLES};
use provost_tests::visitor::{Seen, Visitor, seen};
use reqwest::{Method, StatusCode};
use serde_json::json;

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

#[tokio::test]
async fn a_login_is_a_strict_cookie_and_ends_with_its_token() {
    let daemon = Daemon::start("already-healthy").await;
    let stranger = Visitor::new(&daemon.url);
    assert_eq!(stranger.get("/").await.location(), "/sessions");
    let led = stranger.get("/approvals").await;
    assert_eq!((led.status, led.location()), (StatusCode::SEE_OTHER, "/login?next=/approvals"));
    let wrong = stranger.post("/login", &[("token", "pvt_x")]).await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (StatusCode::UNAUTHORIZED, ""));
    assert!(wrong.text.contains("unknown, expired or revoked") && !wrong.text.contains("pvt_x"), "{}", wrong.text);
    let intake = stranger.post("/login", &[("token", daemon.secret("intake"))]).await;
    assert_eq!((intake.status, intake.header("set-cookie")), (StatusCode::FORBIDDEN, ""));

    let fields = [("token", daemon.secret("viewer")), ("next", "//evil.example/")];
    let plain = stranger.post("/login", &fields).await;
    assert_eq!(plain.location(), "/sessions");
    let cookie = plain.header("set-cookie");
    assert!(cookie.contains("; HttpOnly; SameSite=Strict") && !cookie.contains("Secure"), "{cookie}");
    assert!(!cookie.contains(daemon.secret("viewer")));
    let login = || stranger.request(Method::POST, "/login").form(&fields);
    let by_https = seen(login().header("x-forwarded-proto", "https")).await.header("set-cookie").to_owned();
    assert!(by_https.starts_with("__Host-") && by_https.ends_with("; Secure"), "{by_https}");
    let elsewhere = seen(login().header("origin", "http://evil.example")).await;
    assert_eq!((elsewhere.status, elsewhere.header("set-cookie")), (StatusCode::FORBIDDEN, ""));

    let visitor = Visitor::logged_in(&daemon.url, daemon.secret("viewer")).await;
    assert_eq!(visitor.get("/sessions").await.status, StatusCode::OK);
    assert_eq!(visitor.send("/logout", &[]).await.location(), "/login");
    assert_eq!(visitor.get("/sessions").await.location(), "/login?next=/sessions");

    let visitor = Visitor::logged_in(&daemon.url, daemon.secret("viewer")).await;
    let listed = daemon.ask("admin", Method::GET, "/v1/tokens", None).await.body;
    let viewer = listed["items"].as_array().unwrap().iter().find(|token| token["name"] == "viewer").unwrap();
    let path = format!("/v1/tokens/{}", viewer["token"].as_str().unwrap());
    assert_eq!(daemon.ask("admin", Method::DELETE, &path, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(visitor.get("/sessions").await.location(), "/login?next=/sessions");
}

#[tokio::test]
async fn a_login_outlives_a_crash() {
    let daemon = Daemon::start("already-healthy").await;
    let before = Visitor::logged_in(&daemon.url, daemon.secret("viewer")).await;
    let daemon = daemon.crash().await;
    let mut after = Visitor::new(&daemon.url);
    after.cookie = before.cookie;
    assert_eq!(after.get("/sessions").await.status, StatusCode::OK);
    assert_eq!(after.send("/logout", &[]).await.location(), "/login");
    let daemon = daemon.crash().await;
    let mut later = Visitor::new(&daemon.url);
    later.cookie = after.cookie;
    assert_eq!(later.get("/sessions").await.location(), "/login?next=/sessions", "nor does a crash bring one back");
}

/// Every path of the page, with the roles that get past the guard.
const PATHS: [(&str, &str, &[&str]); 18] = [
    ("GET", "/sessions", LOOK),
    ("GET", "/sessions/none", LOOK),
    ("GET", "/sessions/none/events/1", LOOK),
    ("GET", "/approvals", LOOK),
    ("GET", "/packs", LOOK),
    ("GET", "/tools", LOOK),
    ("GET", "/tokens", &["admin"]),
    ("POST", "/sessions/none/stop", OPERATE),
    ("POST", "/sessions/none/retry", OPERATE),
    ("POST", "/sessions/none/continue", OPERATE),
    ("POST", "/sessions/none/say", OPERATE),
    ("POST", "/sessions/none/settle", OPERATE),
    ("POST", "/sessions/none/claim", OPERATE),
    ("POST", "/sessions/none/annotate", OPERATE),
    ("POST", "/sessions/none/acknowledge", OPERATE),
    ("POST", "/sessions/none/erase", &["admin"]),
    ("POST", "/approvals/none/decide", &["approver", "admin"]),
    ("POST", "/logout", LOOK),
];
const LOOK: &[&str] = &["viewer", "operator", "approver", "admin"];
const OPERATE: &[&str] = &["operator", "approver", "admin"];

/// What answers without a login.
const OPEN: [(&str, &str); 4] = [("GET", "/"), ("GET", "/login"), ("POST", "/login"), ("GET", "/assets/none")];

/// A row for every body that steers a session.
#[derive(Default)]
struct SteerRows(BTreeSet<(&'static str, String)>);

impl SteerVisitor for SteerRows {
    fn visit<S: Steer>(&mut self) {
        self.0.insert(("POST", format!("/sessions/none/{}", S::VERB)));
    }
}

/// The page's other routes are documented nowhere, so they are read from where they are written.
#[test]
fn every_route_of_the_page_has_a_row() {
    let source = include_str!("../../runtime/server/src/page/routes.rs");
    let mut routes = SteerRows::default();
    provost_face::steers(&mut routes);
    let mut routes = routes.0;
    for (template, handlers) in
        source.split(".route(\"").skip(1).filter_map(|rest| rest.lines().next()?.split_once('"'))
    {
        let place = |part: &'static str| match part {
            "{seq}" => "1",
            part if part.starts_with('{') => "none",
            part => part,
        };
        let path = template.split('/').map(place).collect::<Vec<_>>().join("/");
        for (handler, method) in [("get(", "GET"), ("post(", "POST"), ("put(", "PUT"), ("delete(", "DELETE")] {
            if handlers.contains(handler) {
                routes.insert((method, path.clone()));
            }
        }
    }
    let rows = PATHS.into_iter().map(|(method, path, _)| (method, path)).chain(OPEN);
    assert_eq!(routes, rows.map(|(method, path)| (method, path.to_owned())).collect());
}

#[tokio::test]
async fn every_page_and_form_answers_exactly_the_roles_it_should() {
    let daemon = Daemon::start("already-healthy").await;
    let stranger = Visitor::new(&daemon.url);
    for (method, path, _) in PATHS {
        let method: Method = method.parse().unwrap();
        let bearer = stranger.request(method.clone(), path).bearer_auth(daemon.secret("admin"));
        for request in [stranger.request(method.clone(), path), bearer] {
            let answered = seen(request.header("accept", "application/json")).await;
            let led = answered.location().starts_with("/login");
            assert!(led || answered.status == StatusCode::UNAUTHORIZED, "{method} {path}: {answered:?}");
        }
    }
    for role in ROLES.into_iter().filter(|role| *role != "intake") {
        let visitor = Visitor::logged_in(&daemon.url, daemon.secret(role)).await;
        let csrf = visitor.csrf().await;
        for (method, path, roles) in PATHS {
            let answered = if method == "GET" {
                visitor.get(path).await
            } else {
                let forged = visitor.post(path, &[("csrf", "x")]).await;
                assert_eq!(forged.status, StatusCode::FORBIDDEN, "{role} {path}: {forged:?}");
                visitor.post(path, &[("csrf", &csrf)]).await
            };
            let let_in = answered.status != StatusCode::FORBIDDEN;
            assert_eq!(let_in, roles.contains(&role), "{role} {method} {path}: {answered:?}");
            assert_ne!(answered.status, StatusCode::UNAUTHORIZED, "{role} {method} {path}");
        }
    }
}

#[tokio::test]
async fn a_login_uses_the_api_only_as_a_page_of_its_own_would() {
    let daemon = Daemon::start("already-healthy").await;
    let visitor = Visitor::logged_in(&daemon.url, daemon.secret("operator")).await;
    let csrf = visitor.csrf().await;
    let get = visitor.request(Method::GET, "/v1/sessions");
    assert_eq!(seen(get).await.status, StatusCode::OK);
    let fields = json!({"summary": "s", "service": "shop", "environment": "production"});
    let body = json!({"pack": "incident", "fields": fields, "start": false});
    let open = || visitor.request(Method::POST, "/v1/sessions").json(&body);
    assert_eq!(seen(open()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(seen(open().header("x-csrf-token", "x")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(seen(open().header("x-csrf-token", csrf)).await.status, StatusCode::CREATED);
}

/// Nothing in a page that the policy would have to forbid.
fn is_strict(page: &Seen) {
    assert_eq!(page.header("content-security-policy"), CSP);
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("cache-control"), "no-store");
    for inline in ["<style", " style=", " onclick=", " onload=", "javascript:", "<script>"] {
        assert!(!page.text.contains(inline), "{inline} in {}", page.text);
    }
}

#[tokio::test]
async fn pages_are_strict_and_their_files_are_cached_for_good() {
    let daemon = Daemon::start("already-healthy").await;
    let admin = Visitor::logged_in(&daemon.url, daemon.secret("admin")).await;
    let pages = ["/sessions", "/approvals", "/packs", "/tools", "/tokens", "/login", "/nowhere", "/sessions/none"];
    for path in pages {
        let page = admin.get(path).await;
        assert!(page.header("content-type").starts_with("text/html"), "{path}: {page:?}");
        is_strict(&page);
    }
    let unknown = admin.get("/sessions/none").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.text.contains("<code>not_found</code>"), "{}", unknown.text);
    let tokens = admin.get("/tokens").await.text;
    assert!(ROLES.iter().all(|role| tokens.contains(role) && !tokens.contains(daemon.secret(role))));

    let page = admin.get("/sessions").await;
    for (kind, before) in [("text/css", "rel=\"stylesheet\" href=\""), ("text/javascript", "<script src=\"")] {
        let file = Visitor::new(&daemon.url).get(page.between(before, "\"")).await;
        assert_eq!(file.status, StatusCode::OK);
        assert!(file.header("content-type").starts_with(kind), "{file:?}");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable");
    }
    assert_eq!(admin.get("/assets/page-000000000000.css").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_comes_from_outside_stays_text() {
    let daemon = Daemon::start("heals-on-rollback").await;
    let evil = "<img src=x onerror=alert(1)>\u{202e}\u{1b}[31m</textarea><script>alert(2)</script>";
    let body = json!({"pack": "incident", "title": evil, "fields": {"summary": evil, "service": "shop",
        "environment": "production", "alert": {"name": evil}}});
    let opened = daemon.ask("operator", Method::POST, "/v1/sessions", Some(body)).await;
    let session = opened.body["session"].as_str().unwrap();
    daemon.until(session, "awaiting_input").await;
    let visitor = Visitor::logged_in(&daemon.url, daemon.secret("approver")).await;
    let shown = "&lt;img src=x onerror=alert(1)&gt;⟨U+202E⟩␛[31m&lt;/textarea&gt;";
    for path in ["/sessions", &format!("/sessions/{session}"), "/approvals"] {
        let page = visitor.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text.contains(shown), "{path}: {}", page.text);
        for raw in ["<img src=x", "<script>", "\u{202e}", "\u{1b}"] {
            assert!(!page.text.contains(raw), "{raw:?} in {path}");
        }
        is_strict(&page);
    }
    let event = visitor.get(&format!("/sessions/{session}/events/1")).await;
    assert!(event.text.contains("\\u202e") && !event.text.contains("<img src=x"), "{}", event.text);
    let evil_path = visitor.get("/sessions/%3Cscript%3Ealert(1)").await;
    assert!(!evil_path.text.contains("<script>"), "{}", evil_path.text);
}

#[tokio::test]
async fn the_list_is_filtered_and_a_bad_filter_is_explained() {
    let daemon = Daemon::start("already-healthy").await;
    let session = daemon.open().await;
    daemon.until(&session, "resolved").await;
    let visitor = Visitor::logged_in(&daemon.url, daemon.secret("viewer")).await;
    let row = format!("<tr id=\"{session}\"");
    for (query, listed) in [
        ("", true),
        ("?status=resolved&pack=", true),
        ("?status=&pack=incident", true),
        ("?status=error", false),
        ("?pack=other", false),
        (&format!("?before={session}"), false),
    ] {
        let page = visitor.get(&format!("/sessions{query}")).await;
        assert_eq!((page.status, page.text.contains(&row)), (StatusCode::OK, listed), "{query}");
    }
    let bad = visitor.get("/sessions?before=x").await;
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    assert!(bad.text.contains("invalid_request"), "{}", bad.text);
}
