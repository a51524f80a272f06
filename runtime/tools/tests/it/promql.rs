//! Servers of the kind `prometheus`, against one that answers as Prometheus does.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Path, Query};
use axum::routing::get;
use provost_domain::tool::{ToolFailure, ToolOutcome};
use serde_json::{Value, json};

use crate::{Server, call, content, tools};

type Parameters = BTreeMap<String, String>;

fn success(kind: &str, result: &Value) -> Value {
    json!({"status": "success", "data": {"resultType": kind, "result": result}})
}

fn query(parameters: &Parameters) -> Value {
    let vector = |result: Value| success("vector", &result);
    match parameters["query"].as_str() {
        "time()" => success("scalar", &json!([10_000, "10000.5"])),
        "one" => vector(json!([{"metric": {"job": "shop"}, "value": [1700.5, "0.25"]}])),
        "then" => {
            assert_eq!(parameters["time"], "1700000000");
            vector(json!([{"metric": {}, "value": [1_700_000_000, "7"]}]))
        }
        "nan" => vector(json!([{"metric": {}, "value": [1700, "NaN"]}])),
        "two" => {
            vector(json!([{"metric": {"a": "1"}, "value": [1, "+Inf"]}, {"metric": {"a": "2"}, "value": [1, "2"]}]))
        }
        "many" => vector((0..70).map(|n| json!({"metric": {"n": n.to_string()}, "value": [1, "1"]})).collect()),
        "warned" => {
            let mut reply = vector(json!([{"metric": {}, "value": [1, "1"]}]));
            reply["warnings"] = json!(["a store did not answer"]);
            reply
        }
        "noted" => {
            let mut reply = vector(json!([{"metric": {}, "value": [1, "1"]}]));
            reply["infos"] = json!(["it may be no counter"]);
            reply
        }
        _ => vector(json!([])),
    }
}

fn range(parameters: &Parameters) -> Value {
    let number = |name: &str| parameters[name].parse::<f64>().unwrap();
    let (start, end, step) = (number("start"), number("end"), number("step"));
    match parameters["query"].as_str() {
        "last" => assert_eq!((start, end, step), (6400.5, 10_000.5, 30.0)),
        "between" => assert_eq!((start, end, step), (1_700_000_000.0, 1_700_000_600.0, 60.0)),
        _ => return success("matrix", &json!([])),
    }
    let live = json!([[start, "1"], [end - 30.0, "NaN"], [end, "3"]]);
    let ended = json!([[start, "0"], [end - step, "0"]]);
    success("matrix", &json!([{"metric": {"a": "live"}, "values": live}, {"metric": {"a": "ended"}, "values": ended}]))
}

fn rules() -> Value {
    let alert = json!({"labels": {"alertname": "Down"}, "annotations": {}, "state": "firing",
        "activeAt": "2026-01-01T00:00:00Z", "value": "1e+00"});
    let down = json!({"state": "firing", "name": "Down", "query": "up == 0", "duration": 60, "labels": {},
        "annotations": {}, "alerts": [alert], "health": "ok", "type": "alerting"});
    let record = json!({"name": "job:up:sum", "query": "sum by (job) (up)", "health": "ok", "type": "recording"});
    json!({"status": "success", "data": {"groups": [{"name": "basics", "file": "r.yml", "rules": [down, record]}]}})
}

async fn ask(tool: &str, args: Value) -> ToolOutcome {
    let answer = |Path(path): Path<String>, Query(parameters): Query<Parameters>| async move {
        match path.as_str() {
            "query" => query(&parameters),
            "query_range" => range(&parameters),
            "rules" => rules(),
            other => panic!("{other}"),
        }
        .to_string()
    };
    let server = Server::start(Router::new().route("/prom/api/v1/{path}", get(answer))).await;
    let tools = tools(&json!({"metrics": {"kind": "prometheus", "url": format!("{}/prom", server.url)}}));
    call(&tools, &format!("metrics:{tool}"), args).await
}

async fn query_of(query: &str) -> ToolOutcome {
    ask("query", json!({ "query": query })).await
}

#[tokio::test]
async fn one_series_has_a_value_and_what_is_no_number_stays_text() {
    let one = content(query_of("one").await);
    let series = json!([{"labels": {"job": "shop"}, "value": 0.25, "at": 1700.5}]);
    assert_eq!(one, json!({"value": 0.25, "series": series, "warnings": []}));
    assert_eq!(content(query_of("nan").await)["value"], "NaN");
    let two = content(query_of("two").await);
    assert_eq!((two.get("value"), &two["series"][0]["value"]), (None, &json!("+Inf")));
    assert_eq!(query_of("none").await, ToolOutcome::Empty { note: "the query matched no series".to_owned() });
    for time in ["1700000000", "2023-11-14T22:13:20Z"] {
        assert_eq!(content(ask("query", json!({"query": "then", "time": time})).await)["value"], 7.0);
    }
}

#[tokio::test]
async fn what_is_left_out_or_warned_of_is_not_ok() {
    let ToolOutcome::Truncated { content: many, .. } = query_of("many").await else { panic!("not truncated") };
    assert_eq!(
        (many["series"].as_array().unwrap().len(), &many["warnings"]),
        (50, &json!(["20 more series are not listed"]))
    );
    assert_eq!(many.get("value"), None);
    let ToolOutcome::Partial { content: warned, why } = query_of("warned").await else { panic!("not partial") };
    assert_eq!((&warned["warnings"][0], why.as_str()), (&json!("a store did not answer"), "a store did not answer"));
    assert_eq!(content(query_of("noted").await)["warnings"][0], "it may be no counter");
}

#[tokio::test]
async fn a_range_is_written_in_two_ways_and_never_has_too_many_steps() {
    let live = |start: f64, end: f64| {
        json!({"labels": {"a": "live"}, "min": 1.0, "max": 3.0, "last": 3.0,
            "samples": [[start, 1.0], [end - 30.0, "NaN"], [end, 3.0]]})
    };
    let found = content(ask("query_range", json!({"query": "last", "last": "1h"})).await);
    assert_eq!((&found["step_s"], &found["series"][0]), (&json!(30), &live(6400.5, 10_000.5)));
    assert_eq!((&found["series"][1]["last"], &found["series"][1]["max"]), (&Value::Null, &json!(0.0)));
    let between = json!({"query": "between", "from": "1700000000", "to": "2023-11-14T22:23:20Z", "step": "1m"});
    let found = content(ask("query_range", between).await);
    assert_eq!(found["series"][0], live(1_700_000_000.0, 1_700_000_600.0));
    for (args, words) in [
        (json!({"query": "x"}), "either `last`, or `from`"),
        (json!({"query": "x", "last": "1h", "from": "1"}), "either `last`, or `from`"),
        (json!({"query": "x", "from": "2", "to": "1"}), "must be before"),
        (json!({"query": "x", "from": "1", "to": "1700000000"}), "longer than a year"),
        (json!({"query": "x", "from": "soon"}), "write RFC 3339"),
        (json!({"query": "x", "last": "1d", "step": "1s"}), "the least for this range is 720s"),
    ] {
        let outcome = ask("query_range", args).await;
        let ToolOutcome::Failed { failure: ToolFailure { detail, .. } } = &outcome else { panic!("{outcome:?}") };
        assert!(detail.contains(words), "{detail}");
    }
}

#[tokio::test]
async fn rules_are_listed_with_what_is_active() {
    let down = json!({"name": "Down", "group": "basics", "state": "firing", "query": "up == 0",
        "active": [{"labels": {"alertname": "Down"}, "since": "2026-01-01T00:00:00Z"}]});
    let all = content(ask("rules", json!({})).await);
    assert_eq!(
        (all["rules"].as_array().unwrap().len(), &all["rules"][0], &all["rules"][1]["state"]),
        (2, &down, &json!("recording"))
    );
    assert_eq!(content(ask("rules", json!({"contains": "up =="})).await), json!({"rules": [down]}));
    assert_eq!(ask("rules", json!({"contains": "x"})).await, ToolOutcome::Empty { note: "no rule matches".to_owned() });
}
