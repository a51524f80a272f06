//! Output bounds that keep JSON whole: long lists lose their tail, long texts their end.

use provost_domain::length::value_bytes;
use provost_domain::tool::ToolOutcome;
use serde_json::Value;

use crate::redact::redact_value;

/// Longest text kept inside a result that is too large.
const TEXT_MAX: usize = 2_000;
/// Stands where something was cut.
const CUT: &str = "…";
/// Longest list kept inside a result that is too large.
const LIST_MAX: usize = 50;

/// The content as an outcome: redacted, within the limit, and never an empty success.
pub(crate) fn outcome(content: &Value, limit: usize, nothing: &str) -> ToolOutcome {
    if is_empty(content) {
        return ToolOutcome::Empty { note: nothing.to_owned() };
    }
    let content = redact_value(content);
    let total = value_bytes(&content);
    if total <= limit {
        return ToolOutcome::Ok { content };
    }
    let mut cut = shortened(&content, TEXT_MAX, LIST_MAX);
    if value_bytes(&cut) > limit {
        cut = Value::String(cut.to_string().chars().take(limit / 8).chain(CUT.chars()).collect());
    }
    ToolOutcome::Truncated { content: cut, total_bytes: total as u64 }
}

/// The longest of the contents that `of` makes for a number of characters, within the limit.
pub(crate) fn longest(limit: usize, of: &dyn Fn(usize) -> Value) -> Value {
    let mut share = limit;
    loop {
        let content = of(share);
        if value_bytes(&content) <= limit || share == 0 {
            return content;
        }
        share = share * 3 / 4;
    }
}

fn is_empty(content: &Value) -> bool {
    match content {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn shortened(value: &Value, text: usize, list: usize) -> Value {
    match value {
        Value::String(long) if long.chars().count() > text => {
            Value::String(long.chars().take(text).chain(CUT.chars()).collect())
        }
        Value::Array(items) => {
            let left_out = items.len().saturating_sub(list);
            let mark = (left_out > 0).then(|| format!("{CUT} {left_out} more").into());
            items.iter().take(list).map(|item| shortened(item, text, list)).chain(mark).collect()
        }
        Value::Object(object) => {
            let left_out = object.len().saturating_sub(list * 2);
            let mark = (left_out > 0).then(|| (CUT.to_owned(), format!("{left_out} more").into()));
            let kept = object.iter().take(list * 2).map(|(key, item)| (key.clone(), shortened(item, text, list)));
            kept.chain(mark).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_is_empty_and_much_is_truncated() {
        assert_eq!(outcome(&json!([]), 100, "none"), ToolOutcome::Empty { note: "none".to_owned() });
        let long: Vec<String> = (0..500).map(|n| format!("line {n}")).collect();
        let ToolOutcome::Truncated { content, total_bytes } = outcome(&json!(long), 1000, "none") else {
            panic!("not truncated");
        };
        assert!(total_bytes > 4000 && content.to_string().len() <= 1000, "{total_bytes}");
        assert_eq!(content.as_array().unwrap().last(), Some(&json!("… 450 more")));
        let long = json!({"text": "x".repeat(5000)});
        let ToolOutcome::Truncated { content, .. } = outcome(&long, 3000, "none") else { panic!("not truncated") };
        assert!(content["text"].as_str().unwrap().ends_with("x…"), "{content}");
    }

    proptest! {
        #[test]
        fn the_limit_holds(text in "\\PC{0,400}", count in 0_usize..200) {
            let content = json!({"list": vec![text; count]});
            if let ToolOutcome::Truncated { content, .. } | ToolOutcome::Ok { content } = outcome(&content, 4096, "") {
                prop_assert!(content.to_string().len() <= 4096);
            }
        }
    }
}
