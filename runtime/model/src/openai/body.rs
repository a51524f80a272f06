//! The bytes of an answer as JSON: unpacked, with bad bytes and halves of characters replaced, and put together where they
//! came in pieces although nobody asked for that.

use std::collections::BTreeMap;

use provost_domain::lenient::{self, NonFinite};
use serde_json::{Map, Value, json};

use crate::server::body::{self, BadBody};

/// Reads the body of an answer, of at most `max` bytes once it is unpacked.
pub(super) fn read(bytes: &[u8], encoding: Option<&str>, max: usize) -> Result<Value, BadBody> {
    let text = body::text(bytes, encoding, max)?;
    if is_stream(&text) {
        return Ok(assembled(&text));
    }
    lenient::json(&text, NonFinite::Null).or_else(|| lines(&text)).ok_or(BadBody::Unreadable(text))
}

/// One answer from pieces that each stand in a line of their own.
fn lines(text: &str) -> Option<Value> {
    let mut whole = Assembly::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "[DONE]") {
        match lenient::json(line, NonFinite::Null)? {
            Value::Object(chunk) => whole.take(&chunk),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => return None,
        }
    }
    (!whole.choices.is_empty()).then(|| whole.finished())
}

/// Whether a text is a stream of events.
fn is_stream(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(':'));
    lines.next().is_some_and(|line| ["data:", "event:", "id:", "retry:"].iter().any(|field| line.starts_with(field)))
}

/// One answer from the pieces of a stream.
fn assembled(text: &str) -> Value {
    let mut whole = Assembly::default();
    for line in text.lines() {
        let Some(data) = line.trim().strip_prefix("data:") else { continue };
        if let Some(Value::Object(chunk)) = lenient::json(data.trim(), NonFinite::Null) {
            whole.take(&chunk);
        }
    }
    whole.finished()
}

/// An answer that comes in pieces.
#[derive(Debug, Default)]
struct Assembly {
    top: Map<String, Value>,
    /// The choices by their place.
    choices: BTreeMap<u64, Map<String, Value>>,
}

impl Assembly {
    fn take(&mut self, chunk: &Map<String, Value>) {
        for (key, value) in chunk.iter().filter(|(key, value)| *key != "choices" && !value.is_null()) {
            self.top.insert(key.clone(), value.clone());
        }
        for choice in chunk.get("choices").and_then(Value::as_array).into_iter().flatten() {
            let Some(choice) = choice.as_object() else { continue };
            let own = self.choices.entry(choice.get("index").and_then(Value::as_u64).unwrap_or(0)).or_default();
            for (key, value) in choice.iter().filter(|(_, value)| !value.is_null()) {
                join(own, key, value);
            }
        }
    }

    fn finished(mut self) -> Value {
        self.top.insert("choices".to_owned(), self.choices.into_values().map(Value::Object).collect());
        Value::Object(self.top)
    }
}

/// Adds a member of a piece to its choice.
fn join(choice: &mut Map<String, Value>, key: &str, value: &Value) {
    match (key, value) {
        ("delta", Value::Object(delta)) => {
            let message = choice.entry("message").or_insert_with(|| json!({}));
            if let Some(message) = message.as_object_mut() {
                merge(message, delta);
            }
        }
        _ => drop(choice.insert(key.to_owned(), value.clone())),
    }
}

/// Adds a piece of a message: texts and lists go on, calls go on by their place.
fn merge(message: &mut Map<String, Value>, delta: &Map<String, Value>) {
    for (key, value) in delta.iter().filter(|(_, value)| !value.is_null()) {
        let own = message.entry(key.clone()).or_insert(Value::Null);
        match (own, value) {
            (own, Value::Array(calls)) if key == "tool_calls" => merge_calls(own, calls),
            (Value::Object(own), Value::Object(more)) if key == "function_call" => merge_call(own, more),
            (Value::String(own), Value::String(more)) if key != "role" => own.push_str(more),
            (Value::Array(own), Value::Array(more)) => own.extend(more.iter().cloned()),
            (own, value) => *own = value.clone(),
        }
    }
}

fn merge_calls(own: &mut Value, pieces: &[Value]) {
    if !own.is_array() {
        *own = json!([]);
    }
    let Some(calls) = own.as_array_mut() else { return };
    for piece in pieces.iter().filter_map(Value::as_object) {
        let function = piece.get("function").and_then(Value::as_object);
        let begins = function.is_some_and(|function| {
            function.get("name").is_some_and(|name| name.as_str().is_some_and(|n| !n.is_empty()))
        });
        let at = match piece.get("index").filter(|index| !index.is_null()) {
            Some(index) => calls.iter().position(|call| call.get("index") == Some(index)),
            None if begins => None,
            None => calls.len().checked_sub(1),
        };
        match at.and_then(|at| calls.get_mut(at)).and_then(Value::as_object_mut) {
            None => calls.push(Value::Object(piece.clone())),
            Some(call) => {
                for (key, value) in piece.iter().filter(|(_, value)| !value.is_null()) {
                    match (call.get_mut(key), value) {
                        (Some(Value::Object(own)), Value::Object(more)) if key == "function" => merge_call(own, more),
                        (Some(own), value) if own.as_str().is_none_or(str::is_empty) => *own = value.clone(),
                        (Some(_), _) => {}
                        (None, value) => drop(call.insert(key.clone(), value.clone())),
                    }
                }
            }
        }
    }
}

/// The name comes once, the arguments go on.
fn merge_call(own: &mut Map<String, Value>, more: &Map<String, Value>) {
    for (key, value) in more.iter().filter(|(_, value)| !value.is_null()) {
        match (own.get_mut(key), value) {
            (Some(Value::String(own)), Value::String(more)) if key == "arguments" => own.push_str(more),
            (Some(own), value) if own.as_str().is_none_or(str::is_empty) => *own = value.clone(),
            (Some(_), _) => {}
            (None, value) => drop(own.insert(key.clone(), value.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 1024 * 1024;

    #[test]
    fn bad_bytes_and_odd_numbers() {
        let mut bytes = b"\xEF\xBB\xBF \n{\"a\": \"x".to_vec();
        bytes.extend([0xff, b'"', b'}']);
        assert_eq!(read(&bytes, None, MAX), Ok(json!({"a": "x\u{fffd}"})));
        let odd = br#"{"a": NaN, "b": [Infinity, -Infinity], "c": "NaN \ud83d"}"#;
        assert_eq!(read(odd, None, MAX), Ok(json!({"a": null, "b": [null, null], "c": "NaN \u{fffd}"})));
        assert_eq!(read(b"<html>", None, MAX), Err(BadBody::Unreadable("<html>".to_owned())));
    }

    fn stream(chunks: &[Value]) -> Value {
        let events: Vec<String> = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
        let text = format!(": keep-alive\n\n{}data: [DONE]\n\n", events.concat());
        read(text.as_bytes(), None, MAX).unwrap()
    }

    fn delta(delta: &Value) -> Value {
        json!({"id": "x", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
    }

    #[test]
    fn pieces_become_one_answer() {
        let call = |piece: Value| delta(&json!({"tool_calls": [piece]}));
        let whole = stream(&[
            delta(&json!({"role": "assistant", "content": ""})),
            delta(&json!({"content": "I ", "reasoning_content": "h"})),
            delta(&json!({"content": "look", "reasoning_content": "m"})),
            call(json!({"index": 0, "id": "a", "function": {"name": "read", "arguments": ""}})),
            call(json!({"index": 0, "id": "a", "function": {"name": "read", "arguments": "{\"a\""}})),
            call(json!({"index": 1, "id": "b", "function": {"name": "add", "arguments": "{}"}})),
            call(json!({"index": 0, "function": {"arguments": ": 1}"}})),
            json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 3}}),
            json!({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}}),
        ]);
        let choice = &whole["choices"][0];
        assert_eq!(choice["message"]["content"], "I look");
        assert_eq!(choice["message"]["reasoning_content"], "hm");
        assert_eq!(choice["message"]["role"], "assistant");
        assert_eq!(choice["message"]["tool_calls"][0]["function"], json!({"name": "read", "arguments": "{\"a\": 1}"}));
        assert_eq!(choice["message"]["tool_calls"][1]["id"], "b");
        assert_eq!(choice["finish_reason"], "tool_calls");
        assert_eq!(whole["usage"], json!({"prompt_tokens": 3, "completion_tokens": 4}));
    }

    #[test]
    fn pieces_without_a_place() {
        let piece = |function: Value| delta(&json!({"tool_calls": [{"function": function}]}));
        let whole = stream(&[
            piece(json!({"name": "read", "arguments": "{"})),
            piece(json!({"arguments": "}"})),
            piece(json!({"name": "read", "arguments": "{\"b\": 2}"})),
        ]);
        let calls = &whole["choices"][0]["message"]["tool_calls"];
        assert_eq!(calls[0]["function"]["arguments"], "{}");
        assert_eq!(calls[1]["function"]["arguments"], "{\"b\": 2}");
        let text = [delta(&json!({"content": "a"})), delta(&json!({"content": "b"}))]
            .map(|chunk| chunk.to_string())
            .join("\n");
        assert_eq!(read(text.as_bytes(), None, MAX).unwrap()["choices"][0]["message"]["content"], "ab");
        let failed = read(b"data: {\"error\": {\"message\": \"busy\", \"code\": 503}}\n\n", None, MAX).unwrap();
        assert_eq!(failed["error"]["code"], 503);
    }
}
