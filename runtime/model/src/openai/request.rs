//! A request in the protocol's form.

use provost_domain::ids::CallId;
use provost_domain::model::{Arguments, AssistantCall, Message, ModelRequest};
use serde::Serialize;
use serde_json::{Value, json};

use super::opaque::{self, Keys};

/// Longest tool name the protocol takes.
const NAME_MAX: usize = 64;

/// The body of a request.
#[derive(Debug, Serialize)]
pub(super) struct ChatRequest<'a> {
    model: &'a str,
    messages: Vec<ChatMessage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ChatTool<'a>>,
    stream: bool,
}

#[derive(Debug, Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
enum ChatMessage<'a> {
    System {
        content: &'a str,
    },
    User {
        content: &'a str,
    },
    Assistant {
        /// `null` beside calls without text; never left out, which some servers refuse.
        content: Option<&'a str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ChatCall>,
        #[serde(flatten)]
        opaque: Keys,
    },
    Tool {
        tool_call_id: String,
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

#[derive(Debug, Serialize)]
struct ChatTool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: ChatFunction<'a>,
}

#[derive(Debug, Serialize)]
struct ChatFunction<'a> {
    name: &'a str,
    description: &'a str,
    parameters: &'a Value,
}

impl<'a> ChatRequest<'a> {
    /// The body that asks the model of this name.
    pub(super) fn of(request: &'a ModelRequest, model: &'a str) -> Self {
        let system = [ChatMessage::System { content: &request.system }];
        let messages = system.into_iter().chain(request.messages.iter().map(said)).collect();
        let tools = request.tools.iter().map(|offer| {
            let function =
                ChatFunction { name: &offer.name, description: &offer.description, parameters: &offer.schema };
            ChatTool { kind: "function", function }
        });
        Self { model, messages, tools: tools.collect(), stream: false }
    }
}

fn said(message: &Message) -> ChatMessage<'_> {
    match message {
        Message::User { text } => ChatMessage::User { content: text },
        Message::Assistant { text, calls, opaque } => {
            let bare = text.is_empty() && !calls.is_empty();
            ChatMessage::Assistant {
                content: (!bare).then_some(&**text),
                tool_calls: calls
                    .iter()
                    .zip(0..)
                    .map(|(call, n)| called(call, opaque::of_call(opaque.as_ref(), n)))
                    .collect(),
                opaque: opaque::of_message(opaque.as_ref()),
            }
        }
        Message::Tool { call, tool: _, result } => {
            ChatMessage::Tool { tool_call_id: wire_id(call), content: result.to_string() }
        }
    }
}

fn called(call: &AssistantCall, opaque: Keys) -> ChatCall {
    let arguments = match &*call.args {
        Arguments::Json(value) => value.to_string(),
        // Servers parse the arguments of past calls: what was unreadable is shown inside something readable.
        Arguments::Broken(text) => json!({ "unreadable": text }).to_string(),
    };
    let function = ChatInvocation { name: name(&call.tool), arguments };
    ChatCall { id: wire_id(&call.id), kind: "function", function, opaque }
}

/// A call's id with letters that every server takes.
fn wire_id(id: &CallId) -> String {
    format!("call_{}", id.as_str().replace('.', "_"))
}

/// A past call's name as the protocol takes it; a model may have written anything.
fn name(tool: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '_' };
    let name: String = tool.chars().take(NAME_MAX).map(plain).collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use provost_domain::ids::{AgentName, AssignmentId, SessionId};
    use provost_domain::model::ToolOffer;

    use super::*;

    #[test]
    fn a_history_with_parallel_and_broken_calls() {
        let call = |index, tool: &str, args| AssistantCall {
            id: CallId::at(AssignmentId(1), 1, index),
            tool: tool.to_owned(),
            args: Arc::new(args),
        };
        let result = |index| Message::Tool {
            call: CallId::at(AssignmentId(1), 1, index),
            tool: "read__gauge".to_owned(),
            result: Arc::new(json!({"status": "ok"})),
        };
        let calls = vec![
            call(0, "read__gauge", Arguments::Json(json!({"unit": "m"}))),
            call(1, "what is\nthis", Arguments::Broken("{\"a\":".to_owned())),
        ];
        let request = ModelRequest {
            session: SessionId::new(uuid::Uuid::nil()),
            agent: AgentName::new("triage"),
            assignment: AssignmentId(1),
            round: 2,
            model: "default".to_owned(),
            system: "be brief".into(),
            messages: vec![
                Message::User { text: "go".into() },
                Message::Assistant { text: "".into(), calls, opaque: None },
                result(0),
                result(1),
                Message::Assistant { text: "done".into(), calls: Vec::new(), opaque: None },
            ],
            tools: [ToolOffer {
                name: "read__gauge".to_owned(),
                description: "reads".to_owned(),
                schema: json!({"type": "object"}),
            }]
            .into(),
            case: Arc::new(Value::Null),
        };
        let function = |name: &str, arguments: &str| json!({"name": name, "arguments": arguments});
        let expect = json!({
            "model": "big-1",
            "stream": false,
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": "go"},
                {"role": "assistant", "content": null, "tool_calls": [
                    {"id": "call_1_1_0", "type": "function", "function": function("read__gauge", r#"{"unit":"m"}"#)},
                    {"id": "call_1_1_1", "type": "function",
                     "function": function("what_is_this", r#"{"unreadable":"{\"a\":"}"#)},
                ]},
                {"role": "tool", "tool_call_id": "call_1_1_0", "content": r#"{"status":"ok"}"#},
                {"role": "tool", "tool_call_id": "call_1_1_1", "content": r#"{"status":"ok"}"#},
                {"role": "assistant", "content": "done"},
            ],
            "tools": [{"type": "function", "function":
                {"name": "read__gauge", "description": "reads", "parameters": {"type": "object"}}}],
        });
        assert_eq!(json!(ChatRequest::of(&request, "big-1")), expect);
    }
}
