//! What servers refuse of the exchange so far.

use serde_json::Value;

use super::{Make, Refusal400};

/// What this make refuses of the messages.
pub(super) fn refusal(make: Make, body: &Value) -> Option<Refusal400> {
    let messages = body["messages"].as_array().cloned().unwrap_or_default();
    unanswered(&messages).or_else(|| match make {
        Make::OpenAi | Make::DeepSeek => null_alone(&messages),
        Make::Mistral => mistral(&messages),
        Make::Gemini => gemini(&messages),
        Make::LlamaCpp => null_content(&messages),
        Make::Gemma => gemma(&messages),
    })
}

fn role(message: &Value) -> &str {
    message["role"].as_str().unwrap_or_default()
}

fn calls(message: &Value) -> Vec<&Value> {
    message["tool_calls"].as_array().into_iter().flatten().collect()
}

/// Every call has its result behind it.
fn unanswered(messages: &[Value]) -> Option<Refusal400> {
    for (index, message) in messages.iter().enumerate() {
        let results: Vec<&str> = messages[index + 1..]
            .iter()
            .take_while(|message| role(message) == "tool")
            .filter_map(|message| message["tool_call_id"].as_str())
            .collect();
        let missing: Vec<&str> =
            calls(message).iter().filter_map(|call| call["id"].as_str()).filter(|id| !results.contains(id)).collect();
        if !missing.is_empty() {
            let message = format!(
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: {}",
                missing.join(", ")
            );
            return Some(Refusal400::new("invalid_request_error", message));
        }
    }
    None
}

/// A message without calls says something.
fn null_alone(messages: &[Value]) -> Option<Refusal400> {
    let at = messages.iter().position(|message| message["content"].is_null() && calls(message).is_empty())?;
    let message = format!("Invalid value for 'content': expected a string, got null. (messages.[{at}].content)");
    Some(Refusal400::new("invalid_request_error", message))
}

fn null_content(messages: &[Value]) -> Option<Refusal400> {
    let at = messages.iter().position(|message| !message["content"].is_string())?;
    let message = format!(
        "Invalid type for 'messages.[{at}].content': expected one of a string or array of objects, but got null instead."
    );
    Some(Refusal400::new("400", message))
}

fn mistral(messages: &[Value]) -> Option<Refusal400> {
    let nine = |id: &str| id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let of_calls = messages.iter().flat_map(calls).filter_map(|call| call["id"].as_str());
    let of_results = messages.iter().filter_map(|message| message["tool_call_id"].as_str());
    if let Some(id) = of_calls.chain(of_results).find(|id| !nine(id)) {
        let message = format!("Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9.");
        return Some(Refusal400::new("3280", message));
    }
    let empty = |message: &&Value| {
        role(message) == "assistant"
            && calls(message).is_empty()
            && message["content"].as_str().is_none_or(str::is_empty)
    };
    if messages.iter().find(empty).is_some() {
        let message = "Assistant message must have either content or tool_calls, but not none.";
        return Some(Refusal400::new("3240", message));
    }
    let follows = messages.windows(2).any(|pair| role(&pair[0]) == "tool" && role(&pair[1]) == "user");
    follows.then(|| Refusal400::new("3230", "Unexpected role 'user' after role 'tool'"))
}

fn gemini(messages: &[Value]) -> Option<Refusal400> {
    let nameless = |message: &Value| role(message) == "tool" && message["name"].as_str().is_none_or(str::is_empty);
    let at = messages.iter().position(nameless)?;
    let message =
        format!("GenerateContentRequest.contents[{at}].parts[0].function_response.name: Name cannot be empty.");
    Some(Refusal400::new("INVALID_ARGUMENT", message))
}

fn gemma(messages: &[Value]) -> Option<Refusal400> {
    if messages.iter().any(|message| role(message) == "system") {
        return Some(Refusal400::new("400", "System role not supported"));
    }
    // Results stand for the user's part.
    let mut parts: Vec<&str> =
        messages.iter().map(|message| if role(message) == "tool" { "user" } else { role(message) }).collect();
    let results = |pair: &[Value]| role(&pair[0]) == "tool" && role(&pair[1]) == "tool";
    let kept: Vec<bool> = std::iter::once(true).chain(messages.windows(2).map(|pair| !results(pair))).collect();
    let mut kept = kept.into_iter();
    parts.retain(|_| kept.next() == Some(true));
    let alternates = parts.windows(2).all(|pair| pair[0] != pair[1]);
    (!alternates).then(|| Refusal400::new("400", "Conversation roles must alternate user/assistant/user/assistant/..."))
}
