//! A server's answer, read with patience: unknown parts are ignored, missing ones have a meaning or are an error, and one
//! odd part never spoils the rest.

use provost_domain::failure::ModelFailure;
use provost_domain::model::{Arguments, ModelReply, Usage};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::message::ReadChoice;
use super::{body, opaque};
use crate::server::failure::{FailureWords, ServerError};
use crate::server::usage::{count, length};

/// Reads the body of a success, of at most `max` bytes, that answers a question of `asked` bytes.
pub(super) fn read(
    bytes: &[u8],
    (encoding, max, asked): (Option<&str>, usize, usize),
    words: &FailureWords<'_>,
) -> Result<ModelReply, ModelFailure> {
    let malformed = |detail: String| ModelFailure::Malformed { detail };
    let answer = body::read(bytes, encoding, max).map_err(|bad| words.unreadable(bad, encoding, max))?;
    // Some servers put the one answer into a list.
    let answer = answer.as_array().and_then(|list| list.first()).unwrap_or(&answer);
    let complaint = answer.get("error").filter(|error| !error.is_null());
    let Some(choice) = choice(answer) else {
        return Err(match complaint {
            Some(complaint) => complained(complaint, words),
            None => malformed("it has no choices".to_owned()),
        });
    };
    if let Some(complaint) = choice.error.as_ref().or(complaint).filter(|_| !choice.says_something()) {
        return Err(complained(complaint, words));
    }
    let opaque = opaque::written(bytes, choice.at).unwrap_or_else(|| choice.opaque.clone());
    let model = answer.get("model").and_then(Value::as_str).map(str::to_owned);
    let finish = Some(choice.finish.clone()).filter(|word| !word.is_empty());
    let ModelReply { text, calls, .. } = said(choice, words)?;
    let usage = answer.get("usage").and_then(usage).unwrap_or_else(|| Usage::estimate(asked, length(&text, &calls)));
    Ok(ModelReply { text, calls, usage, model, finish, opaque, ..ModelReply::default() })
}

/// The first choice that says something, else the first there is.
fn choice(answer: &Value) -> Option<ReadChoice> {
    let mut choices: Vec<ReadChoice> = match answer.get("choices") {
        Some(Value::Array(choices)) => choices
            .iter()
            .enumerate()
            .filter_map(|(at, choice)| Some(ReadChoice { at: Some(at), ..ReadChoice::of(choice)? }))
            .collect(),
        Some(one @ Value::Object(_)) => ReadChoice::of(one).into_iter().collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => {
            // The answer itself may hold the message.
            answer
                .get("message")
                .filter(|message| message.is_object())
                .and(ReadChoice::of(answer))
                .into_iter()
                .collect()
        }
    };
    let first = choices.iter().position(ReadChoice::says_something).unwrap_or(0);
    (first < choices.len()).then(|| choices.swap_remove(first))
}

/// What a choice comes to.
fn said(choice: ReadChoice, words: &FailureWords<'_>) -> Result<ModelReply, ModelFailure> {
    let ReadChoice { text, calls, refusal, finish, .. } = choice;
    if let Some(refusal) = refusal {
        return Err(ModelFailure::Refused { detail: format!("the model declines: {}", words.safe(&refusal)) });
    }
    let whole = !calls.is_empty()
        && calls.iter().all(|call| match &*call.args {
            Arguments::Json(_) => true,
            Arguments::Broken(_) => false,
        });
    match finish.to_ascii_lowercase().as_str() {
        // Calls that are whole were not cut.
        "length" | "max_tokens" if !whole => {
            return Err(ModelFailure::Malformed {
                detail: format!(
                    "it is cut off at the server's output limit (`finish_reason: {finish}`); raise that limit"
                ),
            });
        }
        "content_filter" | "safety" if !whole => {
            return Err(ModelFailure::Refused { detail: "the server's content filter cut the answer".to_owned() });
        }
        other if other.contains("malformed") && calls.is_empty() && text.trim().is_empty() => {
            let detail = format!("the model wrote a call that its server could not read (`finish_reason: {finish}`)");
            return Err(ModelFailure::Malformed { detail });
        }
        _ => {}
    }
    Ok(ModelReply { text: text.into(), calls, ..ModelReply::default() })
}

/// An error inside a success, by the status it names.
fn complained(complaint: &Value, words: &FailureWords<'_>) -> ModelFailure {
    let complaint = ServerError::of(complaint);
    let code = complaint.code.as_ref();
    let code = code.and_then(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()));
    let status = code.and_then(|code| u16::try_from(code).ok());
    match status.and_then(|code| StatusCode::from_u16(code).ok()).filter(|status| status.as_u16() >= 400) {
        Some(status) => words.classified(status, &HeaderMap::new(), &complaint),
        None => ModelFailure::Malformed { detail: format!("it holds an error: {}", words.safe(&complaint.message)) },
    }
}

/// The protocol counts cached tokens inside the prompt's; ours are apart. The price is not known here. What does not read as a
/// count of tokens is not known.
fn usage(counted: &Value) -> Option<Usage> {
    let prompt = count(counted.get("prompt_tokens")?)?;
    let output = count(counted.get("completion_tokens")?)?;
    let cached = counted.pointer("/prompt_tokens_details/cached_tokens").and_then(count).unwrap_or(0).min(prompt);
    Some(Usage { input: prompt - cached, cached, output, cost_micro_usd: None, estimated: false })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::server::failure::tests::settings;

    fn read_json(body: &Value) -> Result<ModelReply, ModelFailure> {
        let settings = settings();
        read(body.to_string().as_bytes(), (None, 1 << 20, 400), &FailureWords { settings: &settings })
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
        assert_eq!(reply.usage, Usage { input: 6, cached: 4, output: 3, cost_micro_usd: None, estimated: false });
        assert_eq!(&*reply.text, "hi");
    }

    #[test]
    fn what_a_server_does_not_count_is_estimated_and_marked() {
        let choice = json!({"message": {"content": "hello"}, "finish_reason": "stop"});
        for usage in [json!(null), json!({}), json!({"prompt_tokens": "many", "completion_tokens": 3})] {
            let reply = read_json(&json!({"choices": [choice], "usage": usage})).unwrap();
            let expect = Usage { input: 100, cached: 0, output: 2, cost_micro_usd: None, estimated: true };
            assert_eq!(reply.usage, expect, "{usage}");
        }
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
