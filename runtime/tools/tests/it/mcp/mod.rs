//! Servers of the kind `mcp`: definitions that a person accepted, calls that are sent once, and servers that misbehave.

mod child;
mod script;
mod web;

use provost_tools::{ServerFinding, ToolSet};
use serde_json::Value;

use crate::{Noon, tools};

fn clock() -> std::sync::Arc<dyn provost_domain::port::Clock> {
    std::sync::Arc::new(Noon)
}

/// What accepting a server's tools says.
async fn accept(written: &Value) -> Vec<ServerFinding> {
    tools(written).accept(&clock()).await.unwrap()
}

/// The tools of a server whose definitions were accepted.
async fn accepted(written: &Value) -> ToolSet {
    let findings = accept(written).await;
    assert!(findings.iter().all(|finding| finding.ok), "{findings:?}");
    tools(written)
}

/// The only finding that is not as it should be.
#[track_caller]
fn wrong(findings: &[ServerFinding]) -> &str {
    let wrong: Vec<&str> = findings.iter().filter(|found| !found.ok).map(|found| found.text.as_str()).collect();
    assert!(!wrong.is_empty(), "{findings:?}");
    wrong[0]
}
