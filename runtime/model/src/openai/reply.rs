//! A server's answer, read with patience: unknown parts are ignored, missing ones have a meaning or are an error.

use std::sync::Arc;

use provost_domain::failure::ModelFailure;
use provost_domain::model::{Arguments, ModelReply, ProposedCall, Usage};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::failure::{FailureWords, ServerError};
use super::opaque::{self, Keys};

#[derive(Debug, Deserialize)]
struct ChatReply {
    model: Option<String>,
    choices: Option<Vec<ReplyChoice>>,
    usage: Option<ReplyUsage>,
    /// Some servers put an error into a success.
    error: Option<ServerError>,
}

#[derive(Debug, Deserialize)]
struct ReplyChoice {
    message: Box<RawValue>,
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ReplyMessage {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Box<RawValue>>>,
}

#[derive(Debug, Deserialize)]
struct ReplyCall {
    function: ReplyFunction,
}

#[derive(Debug, Deserialize)]
struct ReplyFunction {
    name: String,
    arguments: Option<ReplyArguments>,
}

/// Arguments are a text that holds JSON; some servers send the JSON itself.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum ReplyArguments {
    Text(String),
    Json(Value),
}

#[derive(Debug, Deserialize)]
struct ReplyUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Debug, Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

/// Reads the body of a success.
pub(super) fn read(body: &[u8], words: &FailureWords<'_>) -> Result<ModelReply, ModelFailure> {
    let malformed = |detail: String| ModelFailure::Malformed { detail };
    let answer: ChatReply = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("{error}; it begins `{}`", words.safe(&String::from_utf8_lossy(body)))))?;
    let usage = answer.usage.as_ref().map(usage).unwrap_or_default();
    let Some(choice) = answer.choices.into_iter().flatten().next() else {
        return Err(match answer.error {
            Some(complaint) => complained(&complaint, words),
            None => malformed("it has no choices".to_owned()),
        });
    };
    let message = choice.message.get();
    let ReplyMessage { content, refusal, tool_calls } = part(message, words)?;
    if let Some(refusal) = refusal.filter(|refusal| !refusal.trim().is_empty()) {
        return Err(ModelFailure::Refused { detail: format!("the model declines: {}", words.safe(&refusal)) });
    }
    match choice.finish_reason.as_deref() {
        Some("length") => {
            return Err(malformed(
                "it is cut off at the server's output limit (`finish_reason: length`); raise that limit".to_owned(),
            ));
        }
        Some("content_filter") => {
            return Err(ModelFailure::Refused { detail: "the server's content filter cut the answer".to_owned() });
        }
        Some(_) | None => {}
    }
    let raw = tool_calls.unwrap_or_default();
    let calls = raw.iter().map(|call| part(call.get(), words).map(proposed)).collect::<Result<_, _>>()?;
    let keys = raw.iter().map(|call| part::<Keys>(call.get(), words)).collect::<Result<Vec<_>, _>>()?;
    Ok(ModelReply {
        text: content.unwrap_or_default().into(),
        calls,
        usage,
        model: answer.model,
        finish: choice.finish_reason,
        opaque: opaque::items(part(message, words)?, keys),
        ..ModelReply::default()
    })
}

/// A part of an answer that is read twice: what is known of it, and all of its keys.
fn part<'a, T: Deserialize<'a>>(json: &'a str, words: &FailureWords<'_>) -> Result<T, ModelFailure> {
    serde_json::from_str(json)
        .map_err(|error| ModelFailure::Malformed { detail: format!("{error}; it begins `{}`", words.safe(json)) })
}

/// An error inside a success, by the status it names.
fn complained(complaint: &ServerError, words: &FailureWords<'_>) -> ModelFailure {
    let status = complaint.code.as_ref().and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    match status.and_then(|code| StatusCode::from_u16(code).ok()).filter(|status| status.as_u16() >= 400) {
        Some(status) => words.classified(status, &HeaderMap::new(), complaint),
        None => ModelFailure::Malformed { detail: format!("it holds an error: {}", words.safe(&complaint.message)) },
    }
}

fn proposed(called: ReplyCall) -> ProposedCall {
    let args = match called.function.arguments {
        None => Arguments::parse("{}"),
        Some(ReplyArguments::Text(text)) if text.trim().is_empty() => Arguments::parse("{}"),
        Some(ReplyArguments::Text(text)) => Arguments::parse(&text),
        Some(ReplyArguments::Json(Value::Null)) => Arguments::parse("{}"),
        Some(ReplyArguments::Json(value)) => Arguments::parse(&value.to_string()),
    };
    ProposedCall { tool: called.function.name, args: Arc::new(args) }
}

/// The protocol counts cached tokens inside the prompt's; ours are apart. The price is not known here.
fn usage(counted: &ReplyUsage) -> Usage {
    let prompt = counted.prompt_tokens.unwrap_or(0);
    let cached = counted.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens).unwrap_or(0);
    let cached = cached.min(prompt);
    Usage { input: prompt - cached, cached, output: counted.completion_tokens.unwrap_or(0), cost_micro_usd: None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::openai::failure::tests::settings;

    fn read_json(body: &Value) -> Result<ModelReply, ModelFailure> {
        let settings = settings();
        read(body.to_string().as_bytes(), &FailureWords { settings: &settings })
    }

    fn said(message: &Value, finish: &str) -> Result<ModelReply, ModelFailure> {
        read_json(&json!({"id": "x", "choices": [{"index": 0, "message": message, "finish_reason": finish}]}))
    }

    fn call(arguments: &Value) -> Value {
        json!({"id": "a", "type": "function", "function": {"name": "read__gauge", "arguments": arguments}})
    }

    #[test]
    fn calls_in_every_form() {
        let written = [json!("{\"a\": 1}"), json!({"a": 1}), json!(""), json!(null), json!("{\"a\":"), json!("[1]")];
        let calls: Vec<Value> = written.iter().map(call).collect();
        let reply = said(&json!({"role": "assistant", "content": null, "tool_calls": calls}), "tool_calls").unwrap();
        let args: Vec<Arguments> = reply.calls.iter().map(|call| (*call.args).clone()).collect();
        let json = |value| Arguments::Json(value);
        let broken = |text: &str| Arguments::Broken(text.to_owned());
        let (one, none) = (json!({"a": 1}), json!({}));
        assert_eq!(
            args,
            [json(one.clone()), json(one), json(none.clone()), json(none), broken("{\"a\":"), broken("[1]")]
        );
        assert!(reply.calls.iter().all(|call| call.tool == "read__gauge"));
        assert_eq!(&*reply.text, "");
    }

    #[test]
    fn usage_is_counted_with_cached_tokens_apart_and_no_made_up_price() {
        let choice = json!({"message": {"content": "hi"}, "finish_reason": "stop"});
        let reply = read_json(&json!({"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 3,
            "prompt_tokens_details": {"cached_tokens": 4}}}))
        .unwrap();
        assert_eq!(reply.usage, Usage { input: 6, cached: 4, output: 3, cost_micro_usd: None });
        assert_eq!(&*reply.text, "hi");
    }

    #[track_caller]
    fn check(found: Result<ModelReply, ModelFailure>, expect: &str) {
        assert_eq!(found.unwrap_err().to_string(), expect);
    }

    #[test]
    fn what_is_no_reply_is_a_typed_failure() {
        let unreadable = "the model's reply could not be read:";
        let refused = "the model provider refused the request:";
        check(read_json(&json!({"choices": null})), &format!("{unreadable} it has no choices"));
        check(
            said(&json!({"content": "half an ans"}), "length"),
            &format!(
                "{unreadable} it is cut off at the server's output limit (`finish_reason: length`); raise that limit"
            ),
        );
        check(said(&json!({"refusal": "I cannot"}), "stop"), &format!("{refused} the model declines: I cannot"));
        check(
            said(&json!({"content": "x"}), "content_filter"),
            &format!("{refused} the server's content filter cut the answer"),
        );
        check(
            read_json(&json!({"error": {"message": "odd", "code": "x"}})),
            &format!("{unreadable} it holds an error: odd"),
        );
        check(
            read_json(&json!({"error": {"message": "busy", "code": 502}})),
            "the model provider is unavailable: HTTP 502 Bad Gateway: busy",
        );
    }
}
