//! The calls inside a body: what stands between the marks of a call, or a block of code that holds nothing else.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::arguments::{attribute, keywords, parameter};
use super::names::resolve;
use crate::lenient::{self, NonFinite};
use crate::model::{Arguments, ProposedCall};

/// The keys that name a tool.
const NAMES: [&str; 7] = ["name", "tool", "tool_name", "function", "function_name", "action", "recipient_name"];
/// The keys that hold a call's arguments.
const ARGUMENTS: [&str; 8] =
    ["arguments", "parameters", "args", "input", "tool_input", "action_input", "params", "kwargs"];
/// The keys that hold a list of calls.
const LISTS: [&str; 3] = ["tool_calls", "tool_uses", "calls"];
/// How deep calls stand inside each other's wrappers.
const DEEP_MAX: usize = 4;

/// All calls of a body, if it holds nothing but calls.
pub(super) fn calls(body: &str, offered: &[&str]) -> Vec<ProposedCall> {
    let body = lenient::without_tokens(body);
    let readers = [json_calls, tagged_calls, keyed_calls, named_calls, python_calls];
    readers.iter().map(|read| read(body, offered)).find(|calls| !calls.is_empty()).unwrap_or_default()
}

/// Calls as JSON: an object, a list of them, or several one after the other.
fn json_calls(body: &str, offered: &[&str]) -> Vec<ProposedCall> {
    let bare = lenient::unfenced(body.trim());
    if !bare.starts_with(['{', '[']) {
        return Vec::new();
    }
    if let Some(value) = lenient::json(bare, NonFinite::Refused) {
        return of_value(&value, offered, DEEP_MAX);
    }
    let objects = lenient::objects(bare).into_iter();
    objects.flat_map(|(_, _, object)| of_value(&Value::Object(object), offered, DEEP_MAX)).collect()
}

/// The calls that a JSON value describes.
pub(super) fn of_value(value: &Value, offered: &[&str], deep: usize) -> Vec<ProposedCall> {
    let Some(deep) = deep.checked_sub(1) else { return Vec::new() };
    match value {
        Value::Array(items) => {
            let calls: Vec<Vec<ProposedCall>> = items.iter().map(|item| of_value(item, offered, deep)).collect();
            let all = calls.iter().all(|calls| !calls.is_empty());
            if all { calls.into_iter().flatten().collect() } else { Vec::new() }
        }
        Value::Object(object) => of_object(object, offered, deep),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn of_object(object: &Map<String, Value>, offered: &[&str], deep: usize) -> Vec<ProposedCall> {
    if let Some(list) = LISTS.iter().find_map(|key| object.get(*key)) {
        return of_value(list, offered, deep);
    }
    if let Some(inner @ Value::Object(_)) = object.get("function").or_else(|| object.get("function_call")) {
        return of_value(inner, offered, deep);
    }
    let name = NAMES.iter().find_map(|key| object.get(*key)?.as_str());
    let args = ARGUMENTS.iter().find_map(|key| object.get(*key));
    match (name, args) {
        (Some(name), Some(args)) => vec![call(name, arguments(args))],
        (Some(name), None) if object.len() == 1 => vec![call(name, Arguments::Json(Value::Object(Map::new())))],
        (Some(_) | None, _) => {
            // `{"server__tool": {…}}`
            let mut entries = object.iter();
            match (entries.next(), entries.next()) {
                (Some((name, args @ Value::Object(_))), None) if resolve(name, offered).is_some() => {
                    vec![call(name, arguments(args))]
                }
                _ => Vec::new(),
            }
        }
    }
}

fn call(name: &str, args: Arguments) -> ProposedCall {
    ProposedCall { tool: name.to_owned(), args: Arc::new(args) }
}

/// Arguments as they stand in JSON: an object, or a text that holds one.
pub(crate) fn arguments(args: &Value) -> Arguments {
    match args {
        Value::String(text) => Arguments::parse(text),
        Value::Null => Arguments::Json(Value::Object(Map::new())),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Arguments::parse(&args.to_string()),
    }
}

/// `<function=NAME>…</function>` and `<invoke name="NAME">…</invoke>`, with parameters as tags or as JSON.
fn tagged_calls(body: &str, _offered: &[&str]) -> Vec<ProposedCall> {
    let mut calls = Vec::new();
    let mut rest = body;
    while let Some(at) = ["<function", "<invoke"].iter().filter_map(|open| rest.find(open)).min() {
        let Some(after) = rest.get(at..) else { break };
        let closes = if after.starts_with("<invoke") { "</invoke>" } else { "</function>" };
        let end = after.find(closes).unwrap_or(after.len());
        let Some(whole) = after.get(..end) else { break };
        calls.extend(tagged_call(whole));
        rest = after.get(end..).unwrap_or_default();
        rest = rest.strip_prefix(closes).unwrap_or_default();
    }
    calls
}

fn tagged_call(whole: &str) -> Option<ProposedCall> {
    let (head, rest) = whole.split_once(['>', '{']).unwrap_or((whole, ""));
    let json_in_tag = whole.get(head.len()..).is_some_and(|rest| rest.starts_with('{'));
    let name = attribute(head, "name").or_else(|| {
        let named = head.strip_prefix("<function")?.trim_start_matches(['=', '(', ' ']);
        Some(named.trim_end_matches(')'))
    })?;
    let name = name.trim().trim_matches(['"', '\'']);
    if json_in_tag {
        let json = whole.get(head.len()..)?;
        return Some(call(name, Arguments::parse(json.trim_end().trim_end_matches('>'))));
    }
    let inner = rest.trim();
    if inner.is_empty() || inner.starts_with('{') {
        return Some(call(name, Arguments::parse(inner)));
    }
    Some(call(name, Arguments::Json(Value::Object(parameters(inner)?))))
}

/// `<parameter=KEY>VALUE</parameter>` and `<parameter name="KEY">VALUE</parameter>`.
fn parameters(inner: &str) -> Option<Map<String, Value>> {
    let mut read = Map::new();
    for part in inner.split("<parameter").skip(1) {
        let (head, rest) = part.split_once('>')?;
        let key = attribute(head, "name").or_else(|| head.strip_prefix('='))?.trim().trim_matches(['"', '\'']);
        let value = rest.split("</parameter>").next()?;
        read.insert(key.to_owned(), parameter(value));
    }
    (!read.is_empty()).then_some(read)
}

/// `NAME` in a line of its own, then `<arg_key>KEY</arg_key><arg_value>VALUE</arg_value>`.
fn keyed_calls(body: &str, _offered: &[&str]) -> Vec<ProposedCall> {
    let read = || {
        let (name, rest) = body.split_once("<arg_key>")?;
        let mut args = Map::new();
        for part in rest.split("<arg_key>") {
            let (key, rest) = part.split_once("</arg_key>")?;
            let value = rest.split_once("<arg_value>")?.1.split("</arg_value>").next()?;
            args.insert(key.trim().to_owned(), parameter(value));
        }
        Some(call(name.trim(), Arguments::Json(Value::Object(args))))
    };
    read().into_iter().collect()
}

/// A name, marks, and a JSON object, again and again: `NAME{…}`, `NAME[ARGS]{…}`, `functions.NAME:0<|…|>{…}`.
fn named_calls(body: &str, offered: &[&str]) -> Vec<ProposedCall> {
    let mut calls = Vec::new();
    let mut from = 0;
    for (start, end, object) in lenient::objects(body) {
        let Some(before) = body.get(from..start) else { break };
        let Some(name) = last_name(before, offered) else { continue };
        calls.push(call(&name, Arguments::Json(Value::Object(object))));
        from = end;
    }
    if let (true, Some((before, args))) = (calls.is_empty(), body.split_once('{'))
        && let Some(name) = last_name(before, offered)
    {
        // The call is plain and its arguments are not: the model is told.
        calls.push(call(&name, Arguments::parse(&format!("{{{args}"))));
    }
    calls
}

/// The last word before some arguments that names an offered tool, or the only word.
fn last_name(before: &str, offered: &[&str]) -> Option<String> {
    let mut words = String::new();
    let mut inside = false;
    for c in before.chars() {
        match c {
            '<' | '[' => inside = true,
            '>' | ']' => {
                inside = false;
                words.push(' ');
            }
            '|' | '｜' | '`' | '"' if !inside => words.push(' '),
            _ if inside => {}
            _ => words.push(c),
        }
    }
    let known = words.split_whitespace().rev().find(|word| resolve(word, offered).is_some());
    known.map(str::to_owned)
}

/// `NAME(key=value)`, also in a list.
fn python_calls(body: &str, offered: &[&str]) -> Vec<ProposedCall> {
    let mut rest = lenient::unfenced(body).trim().trim_start_matches('[').trim_end_matches(']').trim();
    rest = rest.strip_prefix("print(").and_then(|inner| inner.strip_suffix(')')).unwrap_or(rest);
    let mut calls = Vec::new();
    while let Some((name, after)) = rest.split_once('(') {
        let name = name.trim_matches(|c: char| c.is_whitespace() || c == ',');
        let Some(own) = resolve(name.strip_suffix(".call").unwrap_or(name), offered) else { return Vec::new() };
        let Some((args, end)) = keywords(after) else { return Vec::new() };
        calls.push(call(own, Arguments::Json(Value::Object(args))));
        rest = after.get(end + 1..).unwrap_or_default().trim();
    }
    if rest.is_empty() { calls } else { Vec::new() }
}
