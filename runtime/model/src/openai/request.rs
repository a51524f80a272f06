//! A request in the one form that every server of the protocol takes: call ids of nine letters and digits, a name beside
//! each result, an empty text beside calls, and no message that some template refuses. What is not written in the
//! configuration is not sent.

use std::borrow::Cow;
use std::collections::BTreeMap;

use provost_domain::model::{Arguments, AssistantCall, Message, ModelRequest, OfferSchema, ToolOffer};
use provost_domain::wire;
use serde::Serialize;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use super::opaque::{self, Keys};
use super::settings::{ChatOptions, SystemRole};
use crate::server::ids::CallIds;
use crate::server::names::name;

/// What stands between a result and words of the runtime's: some templates refuse one behind the other.
const NOTED: &str = "Noted.";

#[derive(Debug, Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
enum ChatMessage<'a> {
    System {
        content: &'a str,
    },
    User {
        content: Cow<'a, str>,
    },
    Assistant {
        /// Empty beside calls without text: some servers refuse `null`, others refuse to do without.
        content: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ChatCall>,
        #[serde(flatten)]
        opaque: Keys,
    },
    Tool {
        tool_call_id: String,
        name: String,
        content: String,
    },
}

#[derive(Debug, Serialize)]
struct ChatCall {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    function: ChatInvocation,
    #[serde(flatten)]
    opaque: Keys,
}

#[derive(Debug, Serialize)]
struct ChatInvocation {
    name: String,
    arguments: String,
}

/// A tool on offer. Its keys stand in the order of JSON objects here.
#[derive(Serialize)]
struct FunctionTool<'a> {
    function: FunctionOffer<'a>,
    r#type: &'static str,
}

#[derive(Serialize)]
struct FunctionOffer<'a> {
    description: &'a str,
    name: &'a str,
    parameters: Parameters<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Parameters<'a> {
    Loose(&'a OfferSchema),
    Strict(Value),
}

impl<'a> FunctionTool<'a> {
    fn of(offer: &'a ToolOffer, strict: bool) -> Self {
        let ToolOffer { name, description, schema } = offer;
        let parameters = if strict { Parameters::Strict(wire::strict(schema)) } else { Parameters::Loose(schema) };
        let function = FunctionOffer { description, name, parameters, strict: strict.then_some(true) };
        Self { function, r#type: "function" }
    }
}

/// How a server differs from what was configured, as far as it said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Demands {
    /// It takes no message of the system's.
    pub(super) folds_system: bool,
    /// It answers in pieces only.
    pub(super) streams: bool,
}

/// The body that asks the model of this name, to the byte: what only the server can read goes back as it was written.
pub(super) fn body(
    request: &ModelRequest,
    model: &str,
    options: &ChatOptions,
    demands: Demands,
) -> serde_json::Result<Vec<u8>> {
    let folds = demands.folds_system || options.system == SystemRole::FirstUser;
    let mut body = BTreeMap::new();
    body.insert("messages".to_owned(), to_raw_value(&messages(request, folds))?);
    if !request.tools.is_empty() {
        let tools = request.tools.iter().map(|offer| FunctionTool::of(offer, options.strict));
        body.insert("tools".to_owned(), to_raw_value(&tools.collect::<Vec<_>>())?);
    }
    for (key, value) in head(model, options, demands) {
        body.insert(key, to_raw_value(&value)?);
    }
    serde_json::to_vec(&body)
}

/// All of it but messages and tools.
fn head(model: &str, options: &ChatOptions, demands: Demands) -> Map<String, Value> {
    let mut head = Map::new();
    let mut set = |key: &str, value: Value| drop(head.insert(key.to_owned(), value));
    set("model", model.into());
    set("stream", demands.streams.into());
    for (key, value) in options.written() {
        set(key, value);
    }
    head.extend(options.request.clone());
    head
}

/// The messages in their order. A text of the runtime's behind another one goes on from it.
fn messages(request: &ModelRequest, folds: bool) -> Vec<ChatMessage<'_>> {
    let ids = CallIds::of(&request.messages);
    let mut messages = Vec::with_capacity(request.messages.len() + 1);
    if folds {
        messages.push(ChatMessage::User { content: Cow::Borrowed(&request.system) });
    } else {
        messages.push(ChatMessage::System { content: &request.system });
    }
    for message in &request.messages {
        let next = said(message, &ids);
        match (messages.last_mut(), next) {
            (Some(ChatMessage::User { content }), ChatMessage::User { content: more }) => {
                *content = Cow::Owned(format!("{content}\n\n{more}"));
            }
            (Some(ChatMessage::Tool { .. }), next @ ChatMessage::User { .. }) => {
                messages.push(ChatMessage::Assistant { content: NOTED, tool_calls: Vec::new(), opaque: Keys::new() });
                messages.push(next);
            }
            (_, next) => messages.push(next),
        }
    }
    messages
}

fn said<'a>(message: &'a Message, ids: &CallIds) -> ChatMessage<'a> {
    match message {
        Message::User { text } => ChatMessage::User { content: Cow::Borrowed(text) },
        Message::Assistant { text, calls, opaque } => {
            // A message that says nothing at all is refused by some.
            let content: &str = if text.is_empty() && calls.is_empty() { NOTED } else { text };
            let of_call = |n| opaque::of_call(opaque.as_ref(), n);
            let tool_calls = calls.iter().zip(0..).map(|(call, n)| called(call, ids, of_call(n))).collect();
            ChatMessage::Assistant { content, tool_calls, opaque: opaque::of_message(opaque.as_ref()) }
        }
        Message::Tool { call, tool, result } => {
            ChatMessage::Tool { tool_call_id: ids.wire(call), name: name(tool), content: result.to_string() }
        }
    }
}

fn called(call: &AssistantCall, ids: &CallIds, opaque: Keys) -> ChatCall {
    let arguments = match &*call.args {
        Arguments::Json(value) => value.to_string(),
        // Servers parse the arguments of past calls: what was unreadable is shown inside something readable.
        Arguments::Broken(text) => json!({ "unreadable": text }).to_string(),
    };
    let function = ChatInvocation { name: name(&call.tool), arguments };
    ChatCall { id: ids.wire(&call.id), kind: "function", function, opaque }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use provost_domain::ids::{AgentName, AssignmentId, CallId, SessionId};

    use super::*;

    fn call(index: usize, tool: &str, args: Arguments) -> AssistantCall {
        AssistantCall { id: CallId::at(AssignmentId(1), 1, index), tool: tool.to_owned(), args: Arc::new(args) }
    }

    fn result(index: usize) -> Message {
        Message::Tool {
            call: CallId::at(AssignmentId(1), 1, index),
            tool: "read__gauge".to_owned(),
            result: Arc::new(json!({"status": "ok"})),
        }
    }

    fn user(text: &str) -> Message {
        Message::User { text: text.into() }
    }

    fn request(messages: Vec<Message>) -> ModelRequest {
        ModelRequest {
            session: SessionId::new(uuid::Uuid::nil()),
            agent: AgentName::new("triage"),
            assignment: AssignmentId(1),
            round: 2,
            model: "default".to_owned(),
            system: "be brief".into(),
            messages,
            tools: [ToolOffer {
                name: "read__gauge".to_owned(),
                description: "reads".to_owned(),
                schema: json!({"type": "object"}).into(),
            }]
            .into(),
            case: Arc::new(Value::Null),
        }
    }

    fn asked(request: &ModelRequest, options: &ChatOptions, demands: Demands) -> Value {
        serde_json::from_slice(&body(request, "big-1", options, demands).unwrap()).unwrap()
    }

    fn sent(messages: Vec<Message>) -> Value {
        asked(&request(messages), &ChatOptions::default(), Demands::default())
    }

    #[test]
    fn a_history_with_parallel_and_broken_calls() {
        let calls = vec![
            call(0, "read__gauge", Arguments::Json(json!({"unit": "m"}))),
            call(1, "what is\nthis", Arguments::Broken("{\"a\":".to_owned())),
        ];
        let body = sent(vec![
            user("go"),
            Message::Assistant { text: "".into(), calls, opaque: None },
            result(0),
            result(1),
            Message::Assistant { text: "done".into(), calls: Vec::new(), opaque: None },
        ]);
        let ids: Vec<String> = [0, 1]
            .iter()
            .map(|index| body["messages"][2]["tool_calls"][index]["id"].as_str().unwrap().to_owned())
            .collect();
        for id in &ids {
            assert!(id.len() == 9 && id.bytes().all(|b| b.is_ascii_alphanumeric()), "{id}");
        }
        assert_ne!(ids[0], ids[1]);
        let function = |name: &str, arguments: &str| json!({"name": name, "arguments": arguments});
        let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "name": "read__gauge", "content": r#"{"status":"ok"}"#});
        let expect = json!({
            "model": "big-1",
            "stream": false,
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": "go"},
                {"role": "assistant", "content": "", "tool_calls": [
                    {"id": ids[0], "type": "function", "function": function("read__gauge", r#"{"unit":"m"}"#)},
                    {"id": ids[1], "type": "function",
                     "function": function("what_is_this", r#"{"unreadable":"{\"a\":"}"#)},
                ]},
                result(&ids[0]),
                result(&ids[1]),
                {"role": "assistant", "content": "done"},
            ],
            "tools": [{"type": "function", "function":
                {"name": "read__gauge", "description": "reads", "parameters": {"type": "object"}}}],
        });
        assert_eq!(body, expect);
    }

    fn roles(body: &Value) -> Vec<&str> {
        body["messages"].as_array().unwrap().iter().map(|message| message["role"].as_str().unwrap()).collect()
    }

    #[test]
    fn no_template_refuses_the_order() {
        let calls = vec![call(0, "read__gauge", Arguments::Json(json!({})))];
        let empty = Message::Assistant { text: "".into(), calls: Vec::new(), opaque: None };
        let asked = Message::Assistant { text: "I look".into(), calls, opaque: None };
        let body = sent(vec![user("go"), user("now"), asked, result(0), user("well?"), empty, user("again")]);
        assert_eq!(roles(&body), ["system", "user", "assistant", "tool", "assistant", "user", "assistant", "user"]);
        assert_eq!(body["messages"][1]["content"], "go\n\nnow");
        for message in body["messages"].as_array().unwrap() {
            assert!(message["content"].as_str().is_some_and(|text| !text.is_empty()), "{message}");
        }
    }

    #[test]
    fn what_is_written_is_sent_and_nothing_else() {
        let options = ChatOptions {
            temperature: Some(0.2),
            effort: Some("low".to_owned()),
            parallel_tools: Some(false),
            output: Some((512, "max_tokens".to_owned())),
            tool_choice: Some(json!("auto")),
            system: SystemRole::FirstUser,
            request: json!({"enable_thinking": false, "stream": true}).as_object().unwrap().clone(),
            ..ChatOptions::default()
        };
        let body = asked(&request(vec![user("go")]), &options, Demands::default());
        assert_eq!(body["messages"], json!([{"role": "user", "content": "be brief\n\ngo"}]));
        for (key, value) in [
            ("temperature", json!(0.2)),
            ("reasoning_effort", json!("low")),
            ("parallel_tool_calls", json!(false)),
            ("max_tokens", json!(512)),
            ("tool_choice", json!("auto")),
            ("enable_thinking", json!(false)),
            ("stream", json!(true)),
        ] {
            assert_eq!(body[key], value, "{key}");
        }
        let plain = sent(vec![user("go")]);
        let keys: Vec<&String> = plain.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["messages", "model", "stream", "tools"]);
    }

    #[test]
    fn strict_tools_are_said_to_be_and_are_closed() {
        let options = ChatOptions { strict: true, ..ChatOptions::default() };
        let body = asked(&request(vec![user("go")]), &options, Demands::default());
        let function = &body["tools"][0]["function"];
        assert_eq!(
            (&function["strict"], &function["parameters"]["additionalProperties"]),
            (&json!(true), &json!(false))
        );
        assert_eq!(sent(vec![user("go")])["tools"][0]["function"].get("strict"), None);
    }

    #[test]
    fn a_server_gets_what_it_demands() {
        let demands = Demands { folds_system: true, streams: true };
        let body = asked(&request(vec![user("go")]), &ChatOptions::default(), demands);
        assert_eq!((roles(&body), &body["stream"]), (vec!["user"], &json!(true)));
    }
}
