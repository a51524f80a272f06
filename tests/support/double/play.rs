//! The model that the servers play: it reads a gauge, reports, and closes the case with what it has seen.

use serde_json::{Value, json};

use super::Make;

/// The answer to a request.
pub(super) fn reply(make: Make, body: &Value) -> Value {
    let message = message(body);
    let calls = message.get("tool_calls").is_some();
    let mut choice =
        json!({"index": 0, "message": message, "finish_reason": if calls { "tool_calls" } else { "stop" }});
    if make == Make::DeepSeek {
        choice["message"]["reasoning_content"] = json!("First I read the gauge.");
    }
    json!({"id": "x", "object": "chat.completion", "model": "double", "choices": [choice],
        "usage": {"prompt_tokens": 10, "completion_tokens": 2}})
}

fn message(body: &Value) -> Value {
    let messages = body["messages"].as_array().unwrap();
    let offered =
        |name: &str| body["tools"].as_array().into_iter().flatten().any(|tool| tool["function"]["name"] == name);
    let results: Vec<&str> = messages
        .iter()
        .filter(|message| message["role"] == "tool")
        .filter_map(|message| message["content"].as_str())
        .collect();
    // The first turn of each agent: two readings at once.
    if results.is_empty() && offered("read__gauge") {
        return calls(&[("read__gauge", json!({"service": "shop"})), ("read__gauge", json!({"n": 1}))]);
    }
    // Then a text that is no report, which comes back with a request to correct it.
    let said = messages.iter().any(|message| message["role"] == "assistant" && message.get("tool_calls").is_none());
    if !said {
        return json!({"role": "assistant", "content": "I have looked."});
    }
    let evidence = results.iter().find_map(|result| {
        let result: Value = serde_json::from_str(result).ok()?;
        result["evidence"].as_str().map(str::to_owned)
    });
    if let Some(evidence) = evidence.filter(|_| offered("mark_resolved")) {
        let args = json!({"summary": "fixed", "confidence": 0.9, "rationale": "read", "evidence": [evidence]});
        return calls(&[("mark_resolved", args)]);
    }
    let report =
        json!({"real": true, "scope": "the shop", "nothing_found": true, "step": "none", "outcome": "not_tried"});
    calls(&[("finish_turn", json!({"content": "read", "confidence": 0.9, "rationale": "read", "report": report}))])
}

fn calls(calls: &[(&str, Value)]) -> Value {
    let call = |(index, (name, args)): (usize, &(&str, Value))| json!({"id": format!("theirs{index}"), "type": "function", "function": {"name": name, "arguments": args.to_string()}});
    let calls: Vec<Value> = calls.iter().enumerate().map(call).collect();
    json!({"role": "assistant", "content": null, "tool_calls": calls})
}
