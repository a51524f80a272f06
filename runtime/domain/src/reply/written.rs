//! Calls that a model wrote into its text, because its server knows no other way.

use std::ops::Range;

use super::bodies;
use super::names::resolve;
use crate::lenient;
use crate::model::ProposedCall;

/// The marks between which calls stand, in the words of the chat templates. What is never closed ends with the text.
const MARKS: [(&str, &str); 17] = [
    ("<tool_call>", "</tool_call>"),
    ("<tool_calls>", "</tool_calls>"),
    ("<toolcall>", "</toolcall>"),
    ("<function_call>", "</function_call>"),
    ("<function_calls>", "</function_calls>"),
    (concat!("<function", "call>"), concat!("</function", "call>")),
    ("<tool_use>", "</tool_use>"),
    ("<minimax:tool_call>", "</minimax:tool_call>"),
    ("<|tool_call|>", "<|/tool_call|>"),
    ("<|tool_call>", "<tool_call|>"),
    ("<|tool_call_start|>", "<|tool_call_end|>"),
    ("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
    ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
    ("[tool_request]", "[end_tool_request]"),
    ("[tool_calls]", "[tool_calls]"),
    ("<|python_tag|>", "<|python_tag|>"),
    ("<|channel|>", "<|call|>"),
];
/// Tags that are calls by themselves.
const TAGS: [(&str, &str); 4] = [
    ("<function=", "</function>"),
    ("<function(", "</function>"),
    ("<function name=", "</function>"),
    ("<invoke ", "</invoke>"),
];
/// Words after the fence of a block that holds calls.
const LANGUAGES: [&str; 6] = ["", "json", "tool_call", "tool_calls", "tool_code", "python"];

/// The calls in a text and what else it says; nothing where it makes none. A call between marks is one whatever it names; one
/// that is only JSON must name an offered tool.
pub fn written_calls(text: &str, offered: &[&str]) -> Option<(Vec<ProposedCall>, String)> {
    marked(text, offered).or_else(|| whole(text, offered)).or_else(|| {
        // A reply that ends its turn may quote calls.
        if states_confidence(text) { None } else { blocks(text, offered).or_else(|| react(text, offered)) }
    })
}

/// Whether a line of the text states a confidence under that name.
fn states_confidence(text: &str) -> bool {
    text.lines().any(|line| {
        let word = line.trim_start_matches(|c: char| !c.is_alphanumeric()).get(..10);
        word.is_some_and(|word| word.eq_ignore_ascii_case("confidence"))
    })
}

/// Whether a text holds the mark of a call.
pub fn looks_like_a_call(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    MARKS.iter().chain(&TAGS).any(|(open, _)| find(&lower, open, 0).is_some())
}

/// Where the first mark of a call stands in a text of small letters.
pub(super) fn first_mark(lower: &str, from: usize) -> Option<usize> {
    next_mark(lower, from).map(|(at, _, _, _)| at)
}

/// Calls between marks.
fn marked(text: &str, offered: &[&str]) -> Option<(Vec<ProposedCall>, String)> {
    let lower = text.to_ascii_lowercase();
    let (mut calls, mut taken) = (Vec::new(), Vec::new());
    let mut from = 0;
    while let Some((at, open, close, is_tag)) = next_mark(&lower, from) {
        let start = at + open.len();
        let (body_end, end) = match lower.get(start..).and_then(|rest| rest.find(close)) {
            // The same mark opens the next call.
            Some(len) if open == close => (start + len, start + len),
            Some(len) => (start + len, start + len + close.len()),
            None => (text.len(), text.len()),
        };
        let body = if is_tag { text.get(at..end) } else { text.get(start..body_end) };
        let found = bodies::calls(body?, offered);
        if !found.is_empty() {
            calls.extend(found);
            taken.push(at..end);
        }
        from = end.max(at + 1);
    }
    (!calls.is_empty()).then(|| (calls, without(text, &taken)))
}

fn next_mark(lower: &str, from: usize) -> Option<(usize, &'static str, &'static str, bool)> {
    let marks = MARKS.iter().map(|mark| (mark, false)).chain(TAGS.iter().map(|tag| (tag, true)));
    let found = marks.filter_map(|((open, close), is_tag)| Some((find(lower, open, from)?, *open, *close, is_tag)));
    found.min_by_key(|(at, open, _, _)| (*at, usize::MAX - open.len()))
}

/// Where a mark stands that is not quoted.
fn find(text: &str, mark: &str, from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let at = text.get(from..)?.find(mark)? + from;
        let before = text.get(..at)?;
        if !before.ends_with('`') || before.ends_with(lenient::FENCE) {
            return Some(at);
        }
        from = at + mark.len();
    }
}

/// A text that is nothing but calls.
fn whole(text: &str, offered: &[&str]) -> Option<(Vec<ProposedCall>, String)> {
    let calls = known(bodies::calls(text, offered), offered)?;
    let bare = lenient::unfenced(lenient::without_tokens(text.trim()));
    let all = bare.starts_with(['{', '[']) && bare.ends_with(['}', ']']) || bare.ends_with(')');
    all.then(|| (calls, String::new()))
}

/// Calls in blocks of code, or as JSON at the beginning of a line.
fn blocks(text: &str, offered: &[&str]) -> Option<(Vec<ProposedCall>, String)> {
    let (mut calls, mut taken) = (Vec::new(), Vec::new());
    for block in fences(text).into_iter().chain(bare_objects(text)) {
        if taken.iter().any(|range: &Range<usize>| range.start < block.whole.end && block.whole.start < range.end) {
            continue;
        }
        if let Some(found) = known(bodies::calls(block.body, offered), offered) {
            calls.extend(found);
            taken.push(block.whole);
        }
    }
    (!calls.is_empty()).then(|| (calls, without(text, &taken)))
}

struct CodeBlock<'a> {
    whole: Range<usize>,
    body: &'a str,
}

/// The blocks of code that may hold calls.
fn fences(text: &str) -> Vec<CodeBlock<'_>> {
    let mut blocks = Vec::new();
    let mut from = 0;
    while let Some(open) = text.get(from..).and_then(|rest| rest.find(lenient::FENCE)).map(|at| at + from) {
        let inside = open + lenient::FENCE.len();
        let Some(len) = text.get(inside..).and_then(|rest| rest.find(lenient::FENCE)) else { break };
        let end = inside + len + lenient::FENCE.len();
        let Some(inner) = text.get(inside..inside + len) else { break };
        let (language, body) = inner.split_once('\n').unwrap_or(("", inner));
        if LANGUAGES.contains(&language.trim().to_ascii_lowercase().as_str()) {
            blocks.push(CodeBlock { whole: open..end, body });
        }
        from = end;
    }
    blocks
}

/// JSON objects that begin a line.
fn bare_objects(text: &str) -> Vec<CodeBlock<'_>> {
    let begins = |at: usize| {
        text.get(..at)
            .is_some_and(|before| before.trim_end_matches([' ', '\t']).ends_with('\n') || before.trim().is_empty())
    };
    let objects = lenient::objects(text).into_iter().filter(|(start, _, _)| begins(*start));
    objects.filter_map(|(start, end, _)| Some(CodeBlock { whole: start..end, body: text.get(start..end)? })).collect()
}

/// `Action: NAME` and `Action Input: {…}`.
fn react(text: &str, offered: &[&str]) -> Option<(Vec<ProposedCall>, String)> {
    let (before, rest) = text.split_once("Action:")?;
    let (name, input) = rest.split_once("Action Input:")?;
    let own = resolve(name, offered)?;
    let input = input.split("Observation:").next().unwrap_or(input).trim();
    let input = lenient::balanced(input).and_then(|end| input.get(..end)).unwrap_or(input);
    let args = bodies::arguments(&serde_json::Value::String(input.to_owned()));
    let call = ProposedCall { tool: own.to_owned(), args: std::sync::Arc::new(args) };
    Some((vec![call], before.trim().to_owned()))
}

/// Calls that all name an offered tool.
fn known(calls: Vec<ProposedCall>, offered: &[&str]) -> Option<Vec<ProposedCall>> {
    let all = !calls.is_empty() && calls.iter().all(|call| resolve(&call.tool, offered).is_some());
    all.then_some(calls)
}

/// The text without some parts.
fn without(text: &str, parts: &[Range<usize>]) -> String {
    let mut parts: Vec<&Range<usize>> = parts.iter().collect();
    parts.sort_by_key(|part| part.start);
    let mut kept = String::new();
    let mut from = 0;
    for part in parts {
        kept.push_str(text.get(from..part.start).unwrap_or_default());
        from = part.end.max(from);
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept.trim().to_owned()
}
