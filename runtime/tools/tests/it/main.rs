//! The tools against real servers on loopback.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod alerts;
mod broken;
mod broken_programs;
mod builtin;
mod command;
mod documented;
mod kinds;
mod loki;
mod mcp;
mod mcp_servers;
mod notify;
mod prometheus;
mod promql;
mod rest;
mod sandbox;
mod servers;

use std::sync::Arc;

use axum::Router;
use provost_domain::failure::FailureKind;
use provost_domain::ids::{CallId, SessionId, ToolName};
use provost_domain::port::{Clock, ToolBackend};
use provost_domain::time::Timestamp;
use provost_domain::tool::{Happened, ToolCall, ToolOutcome};
use provost_form::{ErrorLog, FromYaml as _, parse};
use provost_tools::{ToolSet, ToolsConfig, ToolsError};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A server that ends when dropped.
struct Server {
    url: String,
    _task: JoinSet<()>,
}

impl Server {
    async fn start(routes: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, _task: task }
    }
}

/// A clock that stands still.
#[derive(Debug)]
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000)
    }
}

/// The secret at every place of one.
const SECRET: &str = "hush-hush-hush-hush-hush";

/// The section `tools` of a configuration. JSON is YAML.
fn section(section: &Value) -> Result<ToolsConfig, Vec<String>> {
    let mut log = ErrorLog::new("provost.yaml".into());
    let node = parse(&section.to_string(), &mut log).unwrap();
    let config = ToolsConfig::read(&node, &mut log);
    let errors: Vec<String> = log.errors.iter().map(ToString::to_string).collect();
    if errors.is_empty() { Ok(config.unwrap()) } else { Err(errors) }
}

/// The tools of a section.
fn tools(written: &Value) -> ToolSet {
    section(written).unwrap().open(&|_| Ok(SECRET.into())).unwrap()
}

fn built(tools: &ToolSet) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
    let clock: Arc<dyn Clock> = Arc::new(Noon);
    tools.build(&clock)
}

/// A tool, and a call of it.
fn prepared(tools: &ToolSet, tool: &str, args: Value) -> (Arc<dyn ToolBackend>, ToolCall) {
    let backend = built(tools).unwrap().into_iter().find(|t| t.spec().name.as_str() == tool).unwrap();
    assert_eq!(backend.spec().schema.problems(&args), Vec::<String>::new());
    let call = ToolCall {
        session: SessionId::new(uuid::Uuid::from_u128(1)),
        call: CallId::new("1.1.0"),
        tool: ToolName::new(tool),
        args: Arc::new(args),
        key: "the-key".to_owned(),
    };
    (backend, call)
}

async fn call(tools: &ToolSet, tool: &str, args: Value) -> ToolOutcome {
    let (backend, call) = prepared(tools, tool, args);
    backend.call(&call).await
}

#[track_caller]
fn content(outcome: ToolOutcome) -> Value {
    match outcome {
        ToolOutcome::Ok { content } => content,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn happened(outcome: ToolOutcome) -> (Happened, FailureKind) {
    match outcome {
        ToolOutcome::Failed { failure } => (failure.happened, failure.kind),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_section_has_known_keys_and_all_errors_come_at_once() {
    let written = serde_json::json!({"metrics": null, "http": {"alow": []}, "prometeus": {"endpoint": "x"}});
    let errors = section(&written).unwrap_err();
    let parts = [
        "unknown key `alow`\n  hint: did you mean `allow`?",
        "the key `allow` is missing",
        "expected a table, found nothing\n  hint: its keys are: endpoint",
        "unknown key `prometeus`\n  hint: did you mean `prometheus`?",
    ];
    assert_eq!(errors.len(), parts.len(), "{errors:?}");
    for (error, part) in errors.iter().zip(parts) {
        assert!(error.contains(part), "{error} does not say {part}");
    }
    let errors = section(&serde_json::json!([])).unwrap_err();
    assert!(errors[0].contains("write `NAME: {kind: KIND, …}`; the kinds are: alertmanager"), "{errors:?}");
}
