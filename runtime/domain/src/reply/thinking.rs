//! What a model thinks aloud is not what it says.

use super::written::first_mark;

/// What opens and closes thinking, in the words of the chat templates.
const PAIRS: [(&str, &str); 13] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<thoughts>", "</thoughts>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("<mm:think>", "</mm:think>"),
    ("[think]", "[/think]"),
    ("◁think▷", "◁/think▷"),
    ("<|start_thinking|>", "<|end_thinking|>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel>thought", "<channel|>"),
    ("<unused94>", "<unused95>"),
];

/// The marks of the channels that some models speak on.
const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";

/// The text without thinking, whichever way it is marked; also where the mark that opens it is missing, and where one that
/// opens the text is never closed.
pub fn without_thinking(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    if text.trim_start().starts_with('{') && serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return text.to_owned();
    }
    let mut text = spoken(text);
    let mut cut = false;
    while let Some(shorter) = cut_once(&text) {
        text = shorter;
        cut = true;
    }
    if cut { text.trim().to_owned() } else { text }
}

/// Without the first thinking.
fn cut_once(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let first = PAIRS
        .iter()
        .filter_map(|(open, close)| {
            let (opens, closes) = (tag(&lower, open, 0), tag(&lower, close, 0));
            Some((opens.into_iter().chain(closes).min()?, opens, (*open, *close)))
        })
        .min_by_key(|(at, _, _)| *at)?;
    let (at, opens, (open, close)) = first;
    let from = if opens == Some(at) { at + open.len() } else { at };
    let (start, end) = match (tag(&lower, close, from), opens == Some(at)) {
        (Some(end), true) => (at, end + close.len()),
        // Its opening mark is missing: all before belongs to it.
        (Some(end), false) => (0, end + close.len()),
        // A call ends thinking that nothing else ends.
        (None, _) if text.get(..at).is_some_and(|before| before.trim().is_empty()) => {
            (at, first_mark(&lower, from).unwrap_or(text.len()))
        }
        (None, _) => return None,
    };
    Some(format!("{}{}", text.get(..start)?, text.get(end..)?))
}

/// Where a mark stands that is not quoted.
fn tag(text: &str, mark: &str, from: usize) -> Option<usize> {
    let mut from = from;
    loop {
        let at = text.get(from..)?.find(mark)? + from;
        let before = text.get(..at)?.chars().next_back().filter(|c| matches!(c, '`' | '"' | '\''));
        if before.is_none() || before != text.get(at + mark.len()..)?.chars().next() {
            return Some(at);
        }
        from = at + mark.len();
    }
}

/// What was said on the final channel, for models that speak on several; calls stay for whoever reads them.
fn spoken(text: &str) -> String {
    if !text.contains(CHANNEL) || !text.contains(MESSAGE) {
        return text.to_owned();
    }
    let mut kept = String::new();
    for part in text.split(CHANNEL).skip(1) {
        let Some((head, body)) = part.split_once(MESSAGE) else { continue };
        let body = ["<|end|>", "<|return|>", "<|start|>"]
            .iter()
            .fold(body, |body, end| body.split(end).next().unwrap_or(body));
        if head.contains("to=") {
            kept.push_str(CHANNEL);
            kept.push_str(head);
            kept.push_str(MESSAGE);
            kept.push_str(body);
        } else if head.trim_start().starts_with("final") {
            kept.push_str(body);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(without_thinking(text), expect, "{text}");
    }

    #[test]
    fn thinking_is_left_out() {
        for (open, close) in PAIRS {
            check(&format!("{open}\nhm {{x}}\n{close}\n\nwell"), "well");
            check(&format!("hm\n{close}\n\nwell"), "well");
            check(&format!("{open}hm, and no end"), "");
            check(&format!("{open}a{close}well {open}b{close}done"), "well done");
        }
        check("<THINK>hm</THINK>well", "well");
        check("<think>a</think>\n<think>b</think>\nwell", "well");
    }

    #[test]
    fn a_call_ends_thinking_that_is_never_closed() {
        let call = "<tool_call>{\"name\": \"read\", \"arguments\": {}}</tool_call>";
        check(&format!("<think>I must look.\n{call}"), call);
    }

    #[test]
    fn only_the_final_channel_speaks() {
        check(
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>well<|return|>",
            "well",
        );
        check("<|channel|>final<|message|>well", "well");
        check("<|channel|>analysis<|message|>hm<|end|>", "");
        let call = "<|channel|>commentary to=functions.read <|constrain|>json<|message|>{\"a\": 1}<|call|>";
        check(&format!("<|channel|>analysis<|message|>hm<|end|><|start|>assistant{call}"), call);
    }

    #[test]
    fn what_is_quoted_is_said() {
        for text in [
            "the log shows `</think>` twice",
            "{\"content\": \"a </think> b\"}",
            "the tag \"<think>\" is odd",
            "well, <think> is a tag",
            "a | b",
        ] {
            check(text, text);
        }
    }

    proptest! {
        #[test]
        fn what_is_said_stays(said in "[a-z .\n#{}0-9-]{1,60}", thought in "[a-z .\n#{}0-9-]{0,60}", pair in 0..PAIRS.len(), opened: bool) {
            let (open, close) = PAIRS[pair];
            let text = format!("{}{thought}{close}{said}", if opened { open } else { "" });
            prop_assert_eq!(without_thinking(&text), said.trim());
        }

        #[test]
        fn any_text_ends(text in "(<think>|</think>|[a-z{}`\"<|>]|<\\|channel\\|>|<\\|message\\|>|ß){0,30}") {
            prop_assert!(without_thinking(&text).len() <= text.len());
        }
    }
}
