//! A server's answer: blocks of text and calls are read, all others are kept as they were written, with their place.

use std::sync::Arc;

use provost_domain::failure::ModelFailure;
use provost_domain::model::{Arguments, ModelReply, OpaqueItem, OpaquePlace, ProposedCall, Usage};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::failure;
use crate::server::client::ServerAnswer;
use crate::server::failure::FailureWords;
use crate::server::usage::{count, length};

/// The blocks of an answer, to the byte.
#[derive(Deserialize)]
struct RawBlocks {
    content: Vec<Box<RawValue>>,
}

/// Reads a success that answers a question of `asked` bytes.
pub(super) fn read(answer: &ServerAnswer, asked: usize, words: &FailureWords<'_>) -> Result<ModelReply, ModelFailure> {
    let malformed = |detail: String| ModelFailure::Malformed { detail };
    let said = answer.json(words)?;
    if let Some(error) = said.get("error").filter(|error| !error.is_null()) {
        return Err(failure::complained(error, words));
    }
    let Some(blocks) = said.get("content").and_then(Value::as_array) else {
        return Err(malformed("it has no `content`".to_owned()));
    };
    let word = |key: &str| said.get(key).and_then(Value::as_str).map(str::to_owned);
    let finish = word("stop_reason");
    ended(finish.as_deref().unwrap_or_default())?;
    let written: Option<RawBlocks> = serde_json::from_slice(&answer.body).ok();
    let (mut text, mut calls, mut opaque) = (String::new(), Vec::new(), Vec::new());
    for (index, block) in blocks.iter().enumerate() {
        match block.get("type").and_then(Value::as_str).unwrap_or_default() {
            "text" => text.push_str(block.get("text").and_then(Value::as_str).unwrap_or_default()),
            "tool_use" => calls.push(call(block)),
            _ => {
                let raw = written.as_ref().and_then(|written| written.content.get(index));
                let json = raw.map_or_else(|| block.to_string(), |raw| raw.get().to_owned());
                opaque.push(OpaqueItem::new(OpaquePlace::Item { index }, json));
            }
        }
    }
    let usage = said.get("usage").and_then(usage).unwrap_or_else(|| Usage::estimate(asked, length(&text, &calls)));
    Ok(ModelReply { text: text.into(), calls, usage, model: word("model"), finish, opaque, ..ModelReply::default() })
}

fn call(block: &Value) -> ProposedCall {
    let args = match block.get("input") {
        None | Some(Value::Null) => Arguments::parse(""),
        Some(Value::String(text)) => Arguments::parse(text),
        Some(json @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            Arguments::parse(&json.to_string())
        }
    };
    let tool = block.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    ProposedCall { tool, args: Arc::new(args) }
}

/// Whether an answer that ended for this reason can be used. A call that is cut off looks like a whole one.
fn ended(reason: &str) -> Result<(), ModelFailure> {
    match reason {
        "max_tokens" => Err(ModelFailure::Malformed {
            detail: "it is cut off at `output` tokens (`stop_reason: max_tokens`); raise that limit".to_owned(),
        }),
        "model_context_window_exceeded" => Err(ModelFailure::LlmConfig { detail: failure::TOO_LONG.to_owned() }),
        "refusal" => Err(ModelFailure::Refused { detail: "the model declines (`stop_reason: refusal`)".to_owned() }),
        _ => Ok(()),
    }
}

/// The protocol counts tokens that were read from its cache apart; those written into it were paid as input. The price is not
/// known here.
fn usage(counted: &Value) -> Option<Usage> {
    let part = |key: &str| counted.get(key).and_then(count);
    let input = part("input_tokens")?.saturating_add(part("cache_creation_input_tokens").unwrap_or(0));
    let (cached, output) = (part("cache_read_input_tokens").unwrap_or(0), part("output_tokens")?);
    Some(Usage { input, cached, output, cost_micro_usd: None, estimated: false })
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;
    use serde_json::json;

    use super::*;
    use crate::server::failure::tests::settings;

    fn read_text(body: &str) -> Result<ModelReply, ModelFailure> {
        let settings = settings();
        let body = body.as_bytes().to_vec();
        let answer = ServerAnswer { status: StatusCode::OK, headers: HeaderMap::new(), body };
        read(&answer, 400, &FailureWords { settings: &settings })
    }

    /// Red if a block were parsed on its way: its spaces and its number's form would be lost.
    #[test]
    fn blocks_are_read_or_kept_as_they_were_written() {
        let thought = r#"{ "type":"thinking", "thinking":"", "signature":"c2ln==", "n":1.50 }"#;
        let reply = read_text(&format!(
            r#"{{"model": "m-1", "stop_reason": "tool_use", "content": [{thought}, {{"type": "text", "text": "I look"}},
            {{"type": "tool_use", "id": "a", "name": "read__gauge", "input": {{"unit": "m"}}}}],
            "usage": {{"input_tokens": 5, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 3, "output_tokens": 2}}}}"#
        ))
        .unwrap();
        assert_eq!(reply.opaque, [OpaqueItem::new(OpaquePlace::Item { index: 0 }, thought)]);
        assert_eq!((&*reply.text, reply.calls[0].tool.as_str()), ("I look", "read__gauge"));
        assert_eq!(*reply.calls[0].args, Arguments::Json(json!({"unit": "m"})));
        assert_eq!(reply.usage, Usage { input: 8, cached: 4, output: 2, cost_micro_usd: None, estimated: false });
        assert_eq!((reply.model.as_deref(), reply.finish.as_deref()), (Some("m-1"), Some("tool_use")));
    }

    #[test]
    fn what_is_not_counted_is_estimated() {
        let reply =
            read_text(r#"{"content": [{"type": "text", "text": "hello"}], "stop_reason": "end_turn"}"#).unwrap();
        assert!(reply.usage.estimated && reply.usage.input == 100, "{:?}", reply.usage);
    }

    #[test]
    fn an_answer_that_cannot_be_used_is_a_typed_failure() {
        for (body, part) in [
            (
                json!({"content": [{"type": "tool_use", "name": "t", "input": {}}], "stop_reason": "max_tokens"}),
                "cut off",
            ),
            (json!({"content": [], "stop_reason": "refusal"}), "declines"),
            (json!({"content": [], "stop_reason": "model_context_window_exceeded"}), "a longer context"),
            (json!({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}), "unavailable"),
            (json!({"type": "message"}), "no `content`"),
        ] {
            let failure = read_text(&body.to_string()).unwrap_err().to_string();
            assert!(failure.contains(part), "{failure}");
        }
    }
}
