use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::model::{Arguments, ProposedCall};

const OFFERED: [&str; 3] = ["gauges__read", "notes__add", "finish_turn"];

fn offers() -> Vec<ToolOffer> {
    let offer =
        |name: &&str| ToolOffer { name: (*name).to_owned(), description: String::new(), schema: json!({}).into() };
    OFFERED.iter().map(offer).collect()
}

fn reply(text: &str, calls: Vec<ProposedCall>) -> ModelReply {
    ModelReply { text: text.into(), calls, ..ModelReply::default() }
}

/// The calls of a reply with this text, and the text that is left.
fn read(text: &str) -> (Vec<(String, Value)>, String) {
    let reply = understood(reply(text, Vec::new()), &offers());
    let args = |call: &ProposedCall| match &*call.args {
        Arguments::Json(args) => args.clone(),
        Arguments::Broken(text) => json!({"broken": text}),
    };
    (reply.calls.iter().map(|call| (call.tool.clone(), args(call))).collect(), reply.text.to_string())
}

#[track_caller]
fn check(text: &str, calls: &[(&str, Value)], rest: &str) {
    let expect: Vec<(String, Value)> = calls.iter().map(|(name, args)| ((*name).to_owned(), args.clone())).collect();
    assert_eq!(read(text), (expect, rest.to_owned()), "{text}");
}

/// One call in all the ways servers without a reader of calls let through.
fn forms(name: &str, args: &Value) -> Vec<String> {
    let object = json!({"name": name, "arguments": args});
    let parameters = json!({"name": name, "parameters": args});
    let text = json!({"name": name, "arguments": args.to_string()});
    let members = args.as_object().unwrap();
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let each = |form: &dyn Fn(&str, String) -> String| -> String {
        let parts: Vec<String> = members.iter().map(|(key, value)| form(key, shown(value))).collect();
        parts.concat()
    };
    let tags = each(&|key, value| format!("<parameter={key}>\n{value}\n</parameter>\n"));
    let named = each(&|key, value| format!("<parameter name=\"{key}\">{value}</parameter>"));
    let keyed = each(&|key, value| format!("<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>\n"));
    let python: Vec<String> = members.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let python = python.join(", ");
    vec![
        format!("<tool_call>\n{object}\n</tool_call>"),
        format!("<tool_call>{object}"),
        format!("<tool_call>{text}</tool_call>"),
        format!("<tool_call>```json\n{object}\n```</tool_call>"),
        format!("<tool_calls>[{object}]</tool_calls>"),
        format!("<function_call>{object}</function_call>"),
        format!("[TOOL_CALLS][{object}]"),
        format!("[TOOL_CALLS] [{object}]</s>"),
        format!("[TOOL_CALLS]{name}{args}"),
        format!("[TOOL_CALLS]{name}[ARGS]{args}"),
        format!("[TOOL_CALLS]{name}[CALL_ID]a1b2c3d4e[ARGS]{args}"),
        format!("[TOOL_REQUEST]{object}[END_TOOL_REQUEST]"),
        format!("<function={name}>{args}</function>"),
        format!("<function={name}{args}</function>"),
        format!("<function={name}>\n{tags}</function>"),
        format!("<tool_call>\n<function={name}>\n{tags}</function>\n</tool_call>"),
        format!("<function_calls>\n<invoke name=\"{name}\">{named}</invoke>\n</function_calls>"),
        format!("<invoke name=\"{name}\">{named}</invoke>"),
        format!("<tool_call>{name}\n{keyed}</tool_call>"),
        format!("<|python_tag|>{parameters}<|eom_id|>"),
        format!("<|python_tag|>{name}.call({python})"),
        format!("<|tool_call|>[{object}]<|/tool_call|>"),
        format!("<|tool_call_start|>[{name}({python})]<|tool_call_end|>"),
        format!(
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.{name}:0<|tool_call_argument_begin|>{args}\
             <|tool_call_end|><|tool_calls_section_end|>"
        ),
        format!(
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n{args}\n```\
             <｜tool▁call▁end｜><｜tool▁calls▁end｜>"
        ),
        format!(
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{args}<｜tool▁call▁end｜><｜tool▁calls▁end｜>"
        ),
        format!(
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>commentary to=functions.{name} <|constrain|>json<|message|>{args}<|call|>"
        ),
        parameters.to_string(),
        object.to_string(),
        format!("[{object}]"),
        json!({"type": "function", "function": object}).to_string(),
        json!({"tool_calls": [{"id": "x", "type": "function", "function": text}]}).to_string(),
        json!({"tool": name, "args": args}).to_string(),
        json!({"action": name, "action_input": args}).to_string(),
        json!({"tool_uses": [{"recipient_name": format!("functions.{name}"), "parameters": args}]}).to_string(),
        json!({name: args}).to_string(),
        format!("```json\n{object}\n```"),
        format!("```\n{parameters}\n```"),
        format!("```tool_call\n{object}\n```"),
        format!("```tool_code\nprint({name}({python}))\n```"),
        format!("[{name}({python})]"),
        format!("Action: {name}\nAction Input: {args}\nObservation:"),
        format!("<think>which?</think>\n<tool_call>{object}</tool_call>"),
    ]
}

#[test]
fn a_call_in_every_form_is_a_call() {
    let args = json!({"unit": "m", "series": ["up", "down"], "note": "a, \"b\" {c}"});
    for name in ["gauges__read", "gauges:read", "gauges.read"] {
        for form in forms(name, &args) {
            // A colon is no name in Python.
            if name != "gauges__read" && form.contains("unit=") {
                continue;
            }
            check(&form, &[("gauges__read", args.clone())], "");
        }
    }
    let ends = json!({"content": "c", "rationale": "r"});
    for form in forms("finish_turn", &ends) {
        check(&form, &[("finish_turn", ends.clone())], "");
    }
}

#[test]
fn words_around_calls_stay() {
    let object = json!({"name": "gauges:read", "arguments": {"unit": "m"}});
    let other = json!({"name": "notes__add", "arguments": {}});
    let calls = [("gauges__read", json!({"unit": "m"})), ("notes__add", json!({}))];
    check(
        &format!("First.\n<tool_call>{object}</tool_call>\n<tool_call>{other}</tool_call>\nThen."),
        &calls,
        "First.\n\n\nThen.",
    );
    check(&format!("First.\n```json\n{object}\n```\n```json\n{other}\n```"), &calls, "First.");
    check(&format!("First.\n{object}"), &calls[..1], "First.");
}

#[test]
fn what_is_quoted_or_names_no_tool_is_no_call() {
    let object = json!({"name": "gauges:read", "arguments": {"unit": "m"}});
    for text in [
        format!("In prose {object} is no call."),
        format!("The form is `<tool_call>{object}</tool_call>`."),
        format!("## Response\n```json\n{object}\n```\n## Confidence\n0.5"),
        "```json\n{\"name\": \"web\", \"arguments\": {\"replicas\": 3}}\n```".to_owned(),
        "{\"name\": \"web\", \"parameters\": {}}".to_owned(),
        "Nothing to do.".to_owned(),
    ] {
        check(&text, &[], &text);
    }
    assert!(looks_like_a_call("<tool_call>{broken"));
    assert!(!looks_like_a_call("I call it a day"));
}

#[test]
fn a_marked_call_of_no_tool_is_still_a_call() {
    check("<tool_call>{\"name\": \"web\", \"arguments\": {}}</tool_call>", &[("web", json!({}))], "");
    let (calls, _) = read("<function=gauges__read>{\"unit\": </function>");
    assert_eq!(calls, [("gauges__read".to_owned(), json!({"broken": "{\"unit\":"}))]);
}

#[test]
fn proposed_calls_keep_their_place_and_get_their_names() {
    let call = |tool: &str| ProposedCall { tool: tool.to_owned(), args: Arc::new(Arguments::Json(json!({}))) };
    let text = "<think>hm</think>I look: <tool_call>{\"name\": \"notes__add\", \"arguments\": {}}</tool_call>";
    let reply = understood(reply(text, vec![call("gauges:read"), call("what")]), &offers());
    assert_eq!(reply.calls, [call("gauges__read"), call("what")]);
    assert!(reply.text.starts_with("I look: <tool_call>"), "what the server has read is not read twice");
}

proptest! {
    #[test]
    fn any_arguments_in_any_form(
        words in proptest::collection::vec("[a-z \"'{}<=,-]{0,12}", 1..3), whole in any::<i32>(), flag: bool, form in 0..29_usize,
    ) {
        let args = json!({"words": words, "more": {"whole": whole, "flag": flag}});
        let forms = forms("gauges__read", &args);
        prop_assert_eq!(read(&forms[form]), (vec![("gauges__read".to_owned(), args)], String::new()));
    }

    #[test]
    fn any_text_is_survived(text in "(<tool_call>|</tool_call>|\\[TOOL_CALLS\\]|<function=|[a-z{}\":,\\[\\]()=`\n]|gauges__read|\"name\"){0,30}") {
        let (calls, rest) = read(&text);
        prop_assert!(rest.len() <= text.len() && calls.len() <= text.len());
    }
}
