//! What a server answers to a call, as the model gets it.

use provost_domain::failure::FailureKind;
use provost_domain::length::value_bytes;
use provost_domain::tool::{Happened, ToolOutcome};
use serde_json::{Map, Value, json};

use crate::bound;
use crate::http::start;
use crate::redact::redact;
use crate::spec::failed;

/// What an empty answer to a read says.
const NOTHING: &str = "the server answered nothing";

/// The schema of results: what a server declares of its own is not known to hold, so nothing of it is promised.
pub(super) fn schema() -> Value {
    json!({"type": "object", "properties": {"text": {"type": "string"}, "structured": {}}, "required": ["text"],
        "additionalProperties": false})
}

/// The outcome of a call that was answered.
pub(super) fn outcome(result: &Value, reads_only: bool, limit: usize) -> ToolOutcome {
    let text = texts(result);
    let answered = |why: String| {
        let happened = if reads_only { Happened::No } else { Happened::Answered };
        failed(happened, FailureKind::Permanent, start(&why))
    };
    match result.get("resultType").and_then(Value::as_str).unwrap_or("complete") {
        "complete" => {}
        "input_required" => return answered("the server asks for input, which nobody here gives".to_owned()),
        other => {
            let detail = format!("the server goes on by itself (`{}`), which is not followed", start(other));
            let happened = if reads_only { Happened::No } else { Happened::Maybe };
            return failed(happened, FailureKind::Permanent, detail);
        }
    }
    if result.get("isError").and_then(Value::as_bool) == Some(true) {
        return answered(format!("the server says that it failed: {text}"));
    }
    let structured = result.get("structuredContent").filter(|structured| structured.is_object());
    if text.trim().is_empty() && structured.is_none() {
        return if reads_only {
            ToolOutcome::Empty { note: NOTHING.to_owned() }
        } else {
            ToolOutcome::Ok { content: json!({"text": ""}) }
        };
    }
    let text = redact(&text);
    let mut content = Map::from_iter([("text".to_owned(), json!(text))]);
    content.extend(structured.map(|structured| ("structured".to_owned(), structured.clone())));
    let whole = Value::Object(content);
    match bound::outcome(&whole, limit, NOTHING) {
        // Without the second form of the same there is room for more of the text.
        ToolOutcome::Truncated { total_bytes, .. } if !text.trim().is_empty() => ToolOutcome::Truncated {
            content: bound::longest(limit, &|share| json!({"text": head(&text, share)})),
            total_bytes,
        },
        outcome => outcome,
    }
}

fn head(text: &str, share: usize) -> String {
    text.chars().take(share).collect()
}

/// All texts of an answer, in order. Images and other contents are named instead.
fn texts(result: &Value) -> String {
    let blocks = result.get("content").and_then(Value::as_array).into_iter().flatten();
    let word = |block: &Value, key: &str| block.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let shown = blocks.map(|block| match word(block, "type").as_str() {
        "text" => word(block, "text"),
        "resource" => {
            let resource = block.get("resource").cloned().unwrap_or_default();
            let text = word(&resource, "text");
            if text.is_empty() { format!("[resource {}]", start(&word(&resource, "uri"))) } else { text }
        }
        "resource_link" => format!("[resource {}]", start(&word(block, "uri"))),
        kind => {
            let (kind, mime) = (start(kind), start(&word(block, "mimeType")));
            format!("[{kind} {mime}, {} bytes, not shown]", value_bytes(block))
        }
    });
    shown.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn text(result: &Value) -> String {
        match outcome(result, true, 1000) {
            ToolOutcome::Ok { content } => content["text"].as_str().unwrap().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_no_text_is_named_and_not_shown() {
        let content = json!([{"type": "text", "text": "a"}, {"type": "image", "mimeType": "image/png", "data": "AAAA"},
            {"type": "resource", "resource": {"uri": "x:1", "text": "b"}}, {"type": "resource_link", "uri": "x:2"}, {}]);
        let shown = text(&json!({ "content": content }));
        assert!(shown.starts_with("a\n[image image/png, "), "{shown}");
        assert!(shown.ends_with("bytes, not shown]\nb\n[resource x:2]\n[ , 2 bytes, not shown]"), "{shown}");
        assert!(!shown.contains("AAAA"), "{shown}");
    }

    #[test]
    fn a_failure_that_was_answered_is_in_no_doubt_and_a_task_is() {
        let happened = |result: Value, reads_only| match outcome(&result, reads_only, 1000) {
            ToolOutcome::Failed { failure } => failure.happened,
            other => panic!("{other:?}"),
        };
        let error = json!({"isError": true, "content": [{"type": "text", "text": "no"}]});
        assert_eq!(happened(error.clone(), false), Happened::Answered);
        assert_eq!(happened(error, true), Happened::No);
        assert_eq!(happened(json!({"resultType": "input_required"}), false), Happened::Answered);
        assert_eq!(happened(json!({"resultType": "task", "task": {}}), false), Happened::Maybe);
    }

    #[test]
    fn a_long_text_keeps_its_beginning_and_nothing_is_empty() {
        let long = json!({"content": [{"type": "text", "text": "x".repeat(9000)}], "structuredContent": {"a": 1}});
        let ToolOutcome::Truncated { content, total_bytes } = outcome(&long, true, 4000) else { panic!("not cut") };
        assert!(content.to_string().len() <= 4000 && content["text"].as_str().unwrap().len() > 2500);
        assert!(total_bytes > 9000);
        assert!(matches!(outcome(&json!({"content": []}), true, 1000), ToolOutcome::Empty { .. }));
        assert!(matches!(outcome(&json!({"content": []}), false, 1000), ToolOutcome::Ok { .. }));
        let both = json!({"content": [{"type": "text", "text": "t"}], "structuredContent": {"a": 1}});
        let whole = json!({"text": "t", "structured": {"a": 1}});
        assert_eq!(outcome(&both, true, 1000), ToolOutcome::Ok { content: whole });
    }
}
