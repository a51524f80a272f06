//! What a script looks at: the case, and the tool results of this turn's messages.

use provost_domain::model::{Message, ModelRequest};
use serde_json::{Map, Value, json};

/// `{agent, round, session, reports, results, statuses, evidence, last}`. A tool's key is its name with `_` for `:`.
pub(super) fn of(request: &ModelRequest) -> Value {
    let mut results = Map::new();
    let mut statuses = Map::new();
    let mut evidence = Map::new();
    let mut last = Value::Null;
    for message in &request.messages {
        let Message::Tool { tool, result, .. } = message else { continue };
        let key = tool.replace("__", "_");
        let field = |name: &str| result.get(name).cloned().unwrap_or_default();
        results.insert(key.clone(), field("content"));
        statuses.insert(key.clone(), field("status"));
        evidence.insert(key.clone(), field("evidence"));
        last = json!({"tool": key, "status": field("status"), "reason": field("reason"), "content": field("content")});
    }
    json!({
        "agent": request.agent,
        "round": request.round,
        "session": request.case.get("session"),
        "reports": request.case.get("reports"),
        "operator": request.case.get("operator"),
        "results": results,
        "statuses": statuses,
        "evidence": evidence,
        "last": last,
    })
}

/// Whether the last result's status or reason is this word.
pub(super) fn last_refusal_is(facts: &Value, word: &str) -> bool {
    ["/last/status", "/last/reason"].iter().any(|path| facts.pointer(path).and_then(Value::as_str) == Some(word))
}
