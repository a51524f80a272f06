//! The tools against real servers on loopback.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod alerts;
mod builtin;
mod notify;
mod prometheus;

use std::sync::Arc;

use axum::Router;
use provost_domain::failure::FailureKind;
use provost_domain::ids::{CallId, SessionId, ToolName};
use provost_domain::port::{Clock, ToolBackend};
use provost_domain::time::Timestamp;
use provost_domain::tool::{Happened, ToolCall, ToolOutcome};
use provost_tools::{ToolsError, ToolsSettings, build};
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

fn built(settings: &ToolsSettings) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
    let clock: Arc<dyn Clock> = Arc::new(Noon);
    build(settings, &clock)
}

/// A tool, and a call of it.
fn prepared(settings: &ToolsSettings, tool: &str, args: Value) -> (Arc<dyn ToolBackend>, ToolCall) {
    let tools = built(settings).unwrap();
    let backend = tools.into_iter().find(|t| t.spec().name.as_str() == tool).unwrap();
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

async fn call(settings: &ToolsSettings, tool: &str, args: Value) -> ToolOutcome {
    let (backend, call) = prepared(settings, tool, args);
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
