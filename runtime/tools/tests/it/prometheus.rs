//! `prometheus:*` against a server that answers as Prometheus does.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use provost_domain::condition::{Condition, Op};
use provost_domain::failure::FailureKind;
use provost_domain::tool::{Happened, ToolOutcome};
use serde_json::{Value, json};

use crate::{Server, call, content, happened, tools};

type Parameters = BTreeMap<String, String>;
type Teller = fn(&str, &Parameters) -> (u16, Value);

/// A server that answers a path and its parameters as told.
async fn server(teller: Teller) -> Server {
    let answer = |path: &'static str| {
        get(move |State(teller): State<Teller>, Query(parameters): Query<Parameters>| async move {
            let (status, body) = teller(path, &parameters);
            let reply: Response = (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response();
            reply
        })
    };
    let routes = Router::new()
        .route("/prom/api/v1/query", answer("query"))
        .route("/prom/api/v1/query_range", answer("query_range"))
        .with_state(teller);
    Server::start(routes).await
}

async fn ask(server: &Server, tool: &str, args: Value) -> ToolOutcome {
    let tools = tools(&json!({"prometheus": {"endpoint": format!("{}/prom/", server.url)}}));
    call(&tools, tool, args).await
}

fn success(kind: &str, result: &Value) -> (u16, Value) {
    (200, json!({"status": "success", "data": {"resultType": kind, "result": result}}))
}

#[tokio::test]
async fn a_number_is_read_and_what_is_none_is_null() {
    let server = server(|path, parameters| {
        assert_eq!((path, parameters["timeout"].as_str()), ("query", "10s"));
        match parameters["query"].as_str() {
            "rate(x{a=\"1 & 2\"}[5m])" => {
                success("vector", &json!([{"metric": {"job": "shop"}, "value": [1700.5, "0.25"]}]))
            }
            "nan" => success("vector", &json!([{"metric": {}, "value": [1700, "NaN"]}])),
            "two" => success(
                "vector",
                &json!([{"metric": {"a": "1"}, "value": [1, "+Inf"]}, {"metric": {"a": "2"}, "value": [1, "2"]}]),
            ),
            "1" => success("scalar", &json!([1700, "1"])),
            "'word'" => success("string", &json!([1700, "word"])),
            _ => success("vector", &json!([])),
        }
    })
    .await;
    let query = async |query: &str| ask(&server, "prometheus:query", json!({ "query": query })).await;
    let one = content(query("rate(x{a=\"1 & 2\"}[5m])").await);
    let result = json!({"labels": {"job": "shop"}, "value": 0.25, "at": 1700.5});
    assert_eq!(one, json!({"value": 0.25, "results": [result]}));
    assert_eq!(content(query("1").await)["value"], 1.0);
    let word = content(query("'word'").await);
    assert_eq!((&word["value"], &word["results"][0]["text"]), (&Value::Null, &json!("word")));
    let two = content(query("two").await);
    assert_eq!(
        (&two["value"], &two["results"][0]["value"], &two["results"][1]["value"]),
        (&Value::Null, &Value::Null, &json!(2.0))
    );
    let none = query("nothing").await;
    assert!(matches!(none, ToolOutcome::Empty { .. }), "{none:?}");

    let nan = content(query("nan").await);
    assert_eq!(nan["results"][0]["text"], "NaN");
    let holds =
        |data: &Value, path: &str, op: Op| Condition { path: path.to_owned(), op, value: json!(0.3) }.holds(data);
    for path in ["value", "results.0.value"] {
        assert!(holds(&one, path, Op::Lt), "{path}");
        for op in [Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::Eq, Op::Ne] {
            assert!(!holds(&nan, path, op), "{path} {op:?}");
        }
    }
}

#[tokio::test]
async fn many_series_are_cut_and_counted() {
    let server = server(|_, _| {
        let series: Vec<Value> = (0..70).map(|n| json!({"metric": {"n": n.to_string()}, "value": [1, "1"]})).collect();
        success("vector", &json!(series))
    })
    .await;
    let ToolOutcome::Truncated { content, total_bytes } =
        ask(&server, "prometheus:query", json!({"query": "up"})).await
    else {
        panic!("not truncated");
    };
    assert_eq!((content["results"].as_array().unwrap().len(), &content["more"]), (50, &json!(20)));
    assert!(total_bytes > 2000, "{total_bytes}");
}

#[tokio::test]
async fn a_partial_or_warned_answer_is_never_ok() {
    let server = server(|_, parameters| {
        let number = json!({"resultType": "vector", "result": [{"metric": {}, "value": [1, "0.001"]}]});
        let with = |more: Value| {
            let mut reply = json!({"status": "success", "data": number});
            reply.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            (200, reply)
        };
        match parameters["query"].as_str() {
            "partial" => with(json!({"isPartial": true})),
            "warned" => with(json!({"warnings": ["store b did not answer, token=abcdefgh"]})),
            "one warning" => with(json!({"warnings": "store b did not answer"})),
            "odd" => success("vector", &json!([{"metric": {}, "value": [1, "2"]}, {"metric": {}}])),
            "nothing" => {
                (200, json!({"status": "success", "isPartial": true, "data": {"resultType": "vector", "result": []}}))
            }
            _ => with(json!({"isPartial": false, "warnings": [], "infos": ["it may be no counter"], "stats": {}})),
        }
    })
    .await;
    for (query, words) in [
        ("partial", "is partial"),
        ("warned", "store b did not answer, token=[redacted]"),
        ("one warning", "store b"),
        ("odd", "1 of its series"),
        ("nothing", "is partial"),
    ] {
        let outcome = ask(&server, "prometheus:query", json!({ "query": query })).await;
        let ToolOutcome::Partial { content, why } = outcome else { panic!("{query}: {outcome:?}") };
        assert!(why.contains(words) && content["results"].is_array(), "{query}: {why}");
    }
    let whole = content(ask(&server, "prometheus:query", json!({"query": "whole"})).await);
    assert_eq!((&whole["value"], &whole["infos"][0]), (&json!(0.001), &json!("it may be no counter")));
}

#[tokio::test]
async fn an_answer_of_megabytes_is_cut_with_a_count_and_a_native_histogram_is_named() {
    let server = server(|_, parameters| match parameters["query"].as_str() {
        "big" => {
            let item = |n| json!({"metric": {"pod": format!("web-{n}"), "x": "y".repeat(200)}, "value": [1, "1"]});
            success("vector", &(0..8000).map(item).collect())
        }
        "huge" => success("string", &json!([1, "x".repeat(17 * 1024 * 1024)])),
        _ => success("vector", &json!([{"metric": {}, "histogram": [1, {"count": "10", "sum": "5"}]}])),
    })
    .await;
    let big = ask(&server, "prometheus:query", json!({"query": "big"})).await;
    let ToolOutcome::Truncated { content: shown, total_bytes } = big else { panic!("{big:?}") };
    assert!(total_bytes > 30_000 && shown["more"] == 7950, "{total_bytes}");
    let huge = ask(&server, "prometheus:query", json!({"query": "huge"})).await;
    assert!(matches!(&huge, ToolOutcome::Failed { failure } if failure.detail.contains("aggregate")), "{huge:?}");
    let histogram = content(ask(&server, "prometheus:query", json!({"query": "native"})).await);
    assert_eq!((&histogram["value"], &histogram["results"][0]["histogram"]["count"]), (&Value::Null, &json!(10.0)));
}

#[tokio::test]
async fn a_whole_number_written_with_a_point_is_one() {
    let server = server(|path, _| {
        if path == "query" {
            success("scalar", &json!([60, "60"]))
        } else {
            success("matrix", &json!([{"metric": {}, "values": [[60, "1"]]}]))
        }
    })
    .await;
    let range = content(ask(&server, "prometheus:query_range", json!({"query": "up", "minutes": 60.0})).await);
    assert_eq!(range["step_s"], 30);
}

#[tokio::test]
async fn a_range_ends_now_and_its_step_keeps_it_short() {
    let server = server(|path, parameters| {
        if path == "query" {
            assert_eq!(parameters["query"], "time()");
            return success("scalar", &json!([10_000, "10000.5"]));
        }
        let number = |name: &str| parameters[name].parse::<f64>().unwrap();
        assert_eq!((number("start"), number("end"), number("step")), (6400.5, 10_000.5, 30.0));
        let live = json!([[6400.5, "1"], [9970.5, "NaN"], [10_000.5, "3"]]);
        let ended = json!([[6400.5, "0"], [9970.5, "0"]]);
        success(
            "matrix",
            &json!([{"metric": {"a": "live"}, "values": live}, {"metric": {"a": "ended"}, "values": ended}]),
        )
    })
    .await;
    let range = content(ask(&server, "prometheus:query_range", json!({"query": "up", "minutes": 60})).await);
    let live = json!({"labels": {"a": "live"}, "value": 3.0, "at": 10_000.5, "min": 1.0, "max": 3.0,
        "samples": [[6400.5, 1.0], [9970.5, null], [10_000.5, 3.0]]});
    let ended = json!({"labels": {"a": "ended"}, "value": null, "min": 0.0, "max": 0.0,
        "samples": [[6400.5, 0.0], [9970.5, 0.0]]});
    assert_eq!(range, json!({"value": null, "step_s": 30, "results": [live, ended]}));
}

#[tokio::test]
async fn a_refusal_fails_in_the_servers_words() {
    let server = server(|_, parameters| {
        let error = |kind: &str, text: String| json!({"status": "error", "errorType": kind, "error": text});
        match parameters["query"].as_str() {
            "bad" => (400, error("bad_data", "parse error at char 4".to_owned())),
            "many" => (422, error("execution", "many-to-many matching".to_owned())),
            "slow" => (503, error("timeout", "query timed out".to_owned())),
            "odd" => (200, error("internal", "something odd".to_owned())),
            "html" => (200, json!("<html>")),
            _ => (400, error("bad_data", format!("password=hunter2 {}", "x".repeat(10_000)))),
        }
    })
    .await;
    for (query, kind, words) in [
        ("bad", FailureKind::Permanent, "parse error at char 4"),
        ("many", FailureKind::Permanent, "many-to-many matching"),
        ("slow", FailureKind::Transient, "query timed out"),
        ("odd", FailureKind::Permanent, "something odd"),
        ("html", FailureKind::Permanent, "cannot be read as an answer to a query"),
        ("long", FailureKind::Permanent, "[redacted]"),
    ] {
        let outcome = ask(&server, "prometheus:query", json!({ "query": query })).await;
        let ToolOutcome::Failed { failure } = outcome else { panic!("{query} worked") };
        assert_eq!((failure.kind, failure.happened), (kind, Happened::No), "{query}");
        assert!(failure.detail.contains(words) && failure.detail.len() < 500, "{}", failure.detail);
        assert!(!failure.detail.contains("hunter2"), "{}", failure.detail);
    }
    let gone = tools(&json!({"prometheus": {"endpoint": "http://127.0.0.1:1"}}));
    let range = call(&gone, "prometheus:query_range", json!({"query": "up", "minutes": 5})).await;
    assert_eq!(happened(range), (Happened::No, FailureKind::Transient));
}

#[test]
fn an_endpoint_that_is_no_address_is_refused_at_once() {
    let nothing = crate::section(&json!({"prometheus": {"endpoint": ""}})).unwrap_err();
    assert!(nothing.len() == 1 && nothing[0].contains("the text is empty"), "{nothing:?}");
    for endpoint in ["localhost", "file:///etc/passwd"] {
        let tools = tools(&json!({"prometheus": {"endpoint": endpoint}}));
        let error = crate::built(&tools).unwrap_err().to_string();
        assert!(error.contains("`prometheus`") && error.contains("http://"), "{error}");
    }
}
