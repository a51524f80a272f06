//! What every tool server has in common: its name, authentication, headers, limits of its tools, and no secret in results.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use provost_domain::failure::FailureKind;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolOutcome};
use provost_form::SecretError;
use serde_json::{Value, json};

use crate::{SECRET, Server, call, content, happened, section, tools};

type Seen = Arc<Mutex<Vec<HeaderMap>>>;

/// A server that keeps the headers it gets and answers with them: by a list of alerts, or as an error.
async fn server() -> (Seen, Server) {
    let seen = Seen::default();
    let answer = |State(seen): State<Seen>, headers: HeaderMap| async move {
        let text = format!("{headers:?}");
        let broken = headers.contains_key("x-break");
        seen.lock().unwrap().push(headers);
        let alerts = json!([{"labels": {"alertname": text}, "startsAt": "t", "fingerprint": "f"}]);
        let reply: Response =
            if broken { (StatusCode::BAD_REQUEST, text).into_response() } else { alerts.to_string().into_response() };
        reply
    };
    let routes = Router::new().route("/am/api/v2/alerts", get(answer)).with_state(Arc::clone(&seen));
    (seen, Server::start(routes).await)
}

fn alerts(server: &Server, more: &Value) -> Value {
    let mut section = json!({"kind": "alertmanager", "url": format!("{}/am", server.url)});
    section.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "alerts": section })
}

#[tokio::test]
async fn several_servers_of_a_kind_stand_beside_a_preset() {
    let (_, server) = server().await;
    let mut written = alerts(&server, &json!({}));
    written["alerts-2"] = written["alerts"].clone();
    written["alertmanager"] = json!({"endpoint": format!("{}/am/", server.url)});
    let tools = tools(&written);
    let names: Vec<String> = crate::built(&tools).unwrap().iter().map(|tool| tool.spec().name.to_string()).collect();
    assert_eq!(names, ["alertmanager:alerts", "alerts:list", "alerts-2:list"]);
    let both = [
        content(call(&tools, "alerts:list", json!({})).await),
        content(call(&tools, "alertmanager:alerts", json!({})).await),
    ];
    assert_eq!((&both[0]["count"], &both[1]["count"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn each_way_to_authenticate_reaches_the_server_and_is_in_no_result() {
    let (seen, server) = server().await;
    let basic = "b3BzOmh1c2gtaHVzaC1odXNoLWh1c2gtaHVzaA==";
    for (auth, header, value) in [
        (json!({"bearer": {"env": "A"}}), "authorization", format!("Bearer {SECRET}")),
        (json!({"basic": {"user": "ops", "password": {"env": "A"}}}), "authorization", format!("Basic {basic}")),
        (json!({"header": "X-Api-Key", "credential": "key"}), "x-api-key", SECRET.to_owned()),
    ] {
        for broken in [false, true] {
            let mut headers = json!({"X-Scope-OrgID": "ops"});
            if broken {
                headers["X-Break"] = json!("1");
            }
            let written = alerts(&server, &json!({"auth": auth, "headers": headers}));
            let tools = tools(&written);
            let outcome = call(&tools, "alerts:list", json!({})).await;
            let got = seen.lock().unwrap().pop().unwrap();
            assert_eq!(
                (got[header].to_str().unwrap(), &got["x-scope-orgid"]),
                (value.as_str(), &"ops".parse().unwrap())
            );
            let shown = format!("{outcome:?} {tools:?} {:?}", section(&written).unwrap());
            assert!(!shown.contains(SECRET) && !shown.contains(basic), "{shown}");
            assert_eq!(matches!(outcome, ToolOutcome::Failed { .. }), broken, "{outcome:?}");
        }
    }
}

#[tokio::test]
async fn what_the_configuration_says_of_a_tool_holds() {
    let (seen, server) = server().await;
    let list = json!({"risk": "medium", "effect": "unsafe", "timeout": "3s", "output": "300B", "rate": "2/h",
        "target": "-/{{ args.suppressed }}", "repeat": {"max": 1, "within": "1m"}, "about": "What fires."});
    let long = "x".repeat(400);
    let tools = tools(&alerts(&server, &json!({"tools": {"list": list}, "headers": {"X-Long": long}})));
    let built = crate::built(&tools).unwrap();
    let spec = built[0].spec();
    assert_eq!((spec.effect, spec.risk, spec.risk_floor), (EffectClass::Unsafe, Risk::Medium, Some(Risk::Medium)));
    assert_eq!((spec.timeout.as_secs(), spec.output_limit, spec.description.as_str()), (3, 300, "What fires."));
    assert_eq!(spec.claim.repeat.max, 1);
    assert_eq!(spec.claims(None, &json!({"suppressed": true}), &json!({})).unwrap().as_str(), "-/true");
    assert_eq!(spec.output.as_ref().unwrap()["properties"]["count"]["type"], "integer");
    let (tool, asked) = crate::prepared(&tools, "alerts:list", json!({}));
    let first = tool.call(&asked).await;
    assert!(matches!(first, ToolOutcome::Truncated { .. }), "{first:?}");
    assert!(matches!(tool.call(&asked).await, ToolOutcome::Truncated { .. }));
    let third = tool.call(&asked).await;
    let ToolOutcome::Failed { failure } = &third else { panic!("{third:?}") };
    assert!(failure.detail.contains("as often as its `rate` allows; the next call may begin in"), "{failure:?}");
    assert_eq!(happened(third), (Happened::No, FailureKind::Transient));
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[test]
fn a_tool_without_words_has_its_kinds_own() {
    let tools = tools(&json!({"am": {"kind": "alertmanager", "url": "http://h"}}));
    let built = crate::built(&tools).unwrap();
    let spec = built[0].spec();
    assert_eq!((spec.effect, spec.risk, spec.risk_floor), (EffectClass::Read, Risk::Low, None));
}

#[test]
fn a_secret_that_is_not_there_is_named_by_its_server_and_place() {
    let written = json!({"am": {"kind": "alertmanager", "url": "https://h", "auth": {"bearer": {"env": "A"}}}});
    let absent = |_: &provost_form::SecretPlace| Err(SecretError::Absent("the variable `A` is not set".to_owned()));
    let error = section(&written).unwrap().open(&absent).unwrap_err();
    assert_eq!(error.to_string(), "`tools.am`");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the variable `A` is not set");
    let known = section(&written).unwrap().open_without_secrets().unwrap();
    assert_eq!(crate::built(&known).unwrap().len(), 1);
}

#[test]
fn certificates_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, "nothing").unwrap();
    let made = rcgen::generate_simple_self_signed(["us".to_owned()]).unwrap();
    let cert = folder.path().join("us.pem");
    std::fs::write(&cert, made.cert.pem()).unwrap();
    let error = |tls: Value| {
        let written = json!({"am": {"kind": "alertmanager", "url": "https://h", "tls": tls}});
        let error = crate::built(&tools(&written)).unwrap_err();
        format!("{error}: {}", std::error::Error::source(&error).unwrap())
    };
    assert!(error(json!({"ca": file})).contains("ca.pem cannot be used: it holds no certificate"));
    let wrong = error(json!({"cert": cert, "key": {"env": "K"}}));
    assert!(
        wrong.contains("us.pem cannot be used: the key is not a private key") && !wrong.contains(SECRET),
        "{wrong}"
    );
    let key: secrecy::SecretString = made.signing_key.serialize_pem().into();
    let written =
        json!({"am": {"kind": "alertmanager", "url": "https://h", "tls": {"cert": cert, "key": {"env": "K"}}}});
    let open = section(&written).unwrap().open(&|_| Ok(key.clone())).unwrap();
    assert_eq!(crate::built(&open).unwrap().len(), 1);
}
