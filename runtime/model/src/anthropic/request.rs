//! A request in the protocol's form: results stand first in the message behind their calls, no text is blank, and the blocks
//! that only the server can read stand where they stood.

use std::collections::BTreeMap;

use provost_domain::model::{Arguments, AssistantCall, Message, ModelRequest, OpaqueItem, OpaquePlace, OpaqueState};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::settings::MessagesOptions;
use crate::server::ids::CallIds;
use crate::server::names::name;

/// Stands for a message that says nothing: the protocol takes none.
const NOTED: &str = "Noted.";

type Blocks = Vec<Box<RawValue>>;

/// One message of the protocol: who says it, and its blocks.
#[derive(serde::Serialize)]
struct BlockMessage {
    role: &'static str,
    content: Blocks,
}

/// The body that asks the model of this name, to the byte: what only the server can read goes back as it was written.
pub(super) fn body(request: &ModelRequest, model: &str, options: &MessagesOptions) -> serde_json::Result<Vec<u8>> {
    let mut body = BTreeMap::new();
    for (key, value) in &options.request {
        body.insert(key.as_str(), to_raw_value(value)?);
    }
    let mut set = |key, value: Value| to_raw_value(&value).map(|value| drop(body.insert(key, value)));
    set("model", model.into())?;
    set("max_tokens", options.output.into())?;
    if let Some(temperature) = options.temperature {
        set("temperature", temperature.into())?;
    }
    if let Some(effort) = &options.effort {
        let mut config = options.request.get("output_config").cloned().unwrap_or_else(|| json!({}));
        if let Some(config) = config.as_object_mut() {
            config.insert("effort".to_owned(), effort.as_str().into());
        }
        set("output_config", config)?;
    }
    if !request.system.trim().is_empty() {
        set("system", json!([{"type": "text", "text": &*request.system, "cache_control": {"type": "ephemeral"}}]))?;
    }
    if !request.tools.is_empty() {
        let tools = request
            .tools
            .iter()
            .map(|offer| json!({"name": offer.name, "description": offer.description, "input_schema": offer.schema}));
        set("tools", tools.collect())?;
        if let Some(choice) = tool_choice(options) {
            set("tool_choice", choice)?;
        }
    }
    body.insert("messages", to_raw_value(&messages(request)?)?);
    serde_json::to_vec(&body)
}

/// How tools are chosen, where something is written about that.
fn tool_choice(options: &MessagesOptions) -> Option<Value> {
    let Some(parallel) = options.parallel_tools else { return options.tool_choice.clone() };
    let mut choice = options.tool_choice.clone().unwrap_or_else(|| json!({"type": "auto"}));
    if let Some(choice) = choice.as_object_mut() {
        choice.insert("disable_parallel_tool_use".to_owned(), (!parallel).into());
    }
    Some(choice)
}

/// The messages in their order. Results and the runtime's words behind them are one message of the user's.
fn messages(request: &ModelRequest) -> serde_json::Result<Vec<BlockMessage>> {
    let ids = CallIds::of(&request.messages);
    let mut messages: Vec<BlockMessage> = Vec::with_capacity(request.messages.len());
    for message in &request.messages {
        let (role, content) = match message {
            Message::User { text } => ("user", vec![said(text)?]),
            Message::Assistant { text, calls, opaque } => ("assistant", answered(text, calls, opaque.as_ref(), &ids)?),
            Message::Tool { call, result, .. } => {
                let result =
                    json!({"type": "tool_result", "tool_use_id": ids.wire(call), "content": result.to_string()});
                ("user", vec![to_raw_value(&result)?])
            }
        };
        match messages.last_mut().filter(|last| last.role == role) {
            Some(last) => last.content.extend(content),
            None => messages.push(BlockMessage { role, content }),
        }
    }
    Ok(messages)
}

fn said(text: &str) -> serde_json::Result<Box<RawValue>> {
    let text = if text.trim().is_empty() { NOTED } else { text };
    to_raw_value(&json!({"type": "text", "text": text}))
}

/// The blocks of a reply: those kept for the server at their places, and text and calls in the others.
fn answered(
    text: &str,
    calls: &[AssistantCall],
    opaque: Option<&OpaqueState>,
    ids: &CallIds,
) -> serde_json::Result<Blocks> {
    let mut own = Vec::with_capacity(calls.len() + 1);
    if !text.trim().is_empty() {
        own.push(said(text)?);
    }
    for call in calls {
        own.push(called(call, ids)?);
    }
    let mut kept: BTreeMap<usize, Box<RawValue>> =
        opaque.into_iter().flat_map(|state| &state.items).filter_map(block).collect();
    if own.is_empty() {
        own.push(said(NOTED)?);
    }
    let mut blocks = Vec::with_capacity(own.len() + kept.len());
    for block in own {
        while let Some(first) = kept.remove(&blocks.len()) {
            blocks.push(first);
        }
        blocks.push(block);
    }
    blocks.extend(kept.into_values());
    Ok(blocks)
}

/// A block that was kept, with its place; nothing where it is none of this protocol.
fn block(item: &OpaqueItem) -> Option<(usize, Box<RawValue>)> {
    match &item.place {
        OpaquePlace::Item { index } => Some((*index, RawValue::from_string(item.text()?.to_owned()).ok()?)),
        OpaquePlace::Message { .. } | OpaquePlace::Call { .. } => None,
    }
}

fn called(call: &AssistantCall, ids: &CallIds) -> serde_json::Result<Box<RawValue>> {
    let input = match &*call.args {
        Arguments::Json(value) => value.clone(),
        // The protocol takes an object only: what was unreadable is shown inside one.
        Arguments::Broken(text) => json!({ "unreadable": text }),
    };
    to_raw_value(&json!({"type": "tool_use", "id": ids.wire(&call.id), "name": name(&call.tool), "input": input}))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use provost_domain::ids::{AgentName, AssignmentId, CallId, SessionId};
    use provost_domain::model::{ModelOrigin, ToolOffer};

    use super::*;

    fn call(index: usize, args: Arguments) -> AssistantCall {
        let id = CallId::at(AssignmentId(1), 1, index);
        AssistantCall { id, tool: "read gauge".to_owned(), args: Arc::new(args) }
    }

    fn result(index: usize) -> Message {
        let (call, result) = (CallId::at(AssignmentId(1), 1, index), Arc::new(json!({"status": "ok"})));
        Message::Tool { call, tool: "read__gauge".to_owned(), result }
    }

    fn user(text: &str) -> Message {
        Message::User { text: text.into() }
    }

    fn kept(index: usize, json: &str) -> OpaqueItem {
        OpaqueItem::new(OpaquePlace::Item { index }, json)
    }

    fn written(messages: Vec<Message>, options: &MessagesOptions) -> String {
        let offer = ToolOffer {
            name: "read__gauge".to_owned(),
            description: "reads".to_owned(),
            schema: json!({"type": "object"}).into(),
        };
        let request = ModelRequest {
            session: SessionId::new(uuid::Uuid::nil()),
            agent: AgentName::new("triage"),
            assignment: AssignmentId(1),
            round: 2,
            model: "default".to_owned(),
            system: "be brief".into(),
            messages,
            tools: [offer].into(),
            case: Arc::new(Value::Null),
        };
        String::from_utf8(body(&request, "big-1", options).unwrap()).unwrap()
    }

    fn sent(messages: Vec<Message>, options: &MessagesOptions) -> Value {
        serde_json::from_str(&written(messages, options)).unwrap()
    }

    fn kinds(message: &Value) -> Vec<&str> {
        message["content"].as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect()
    }

    /// Red if a kept block were parsed on its way, or put elsewhere.
    #[test]
    fn kept_blocks_go_back_as_they_came_to_where_they_stood() {
        let thoughts = [r#"{ "type":"thinking", "signature":"c2ln==", "n":1.50 }"#, r#"{"type":"redacted_thinking"}"#];
        let origin = ModelOrigin { server: "s".to_owned(), model: "big-1".to_owned() };
        let opaque = Some(OpaqueState { origin, items: vec![kept(0, thoughts[0]), kept(2, thoughts[1])] });
        let calls = vec![call(0, Arguments::Json(json!({}))), call(1, Arguments::Broken("{".to_owned()))];
        let asked = Message::Assistant { text: "I look".into(), calls, opaque };
        let text = written(vec![user("go"), asked, result(0), result(1), user("well?")], &MessagesOptions::within(9));
        assert!(thoughts.iter().all(|thought| text.contains(thought)), "{text}");
        let body: Value = serde_json::from_str(&text).unwrap();
        let messages = body["messages"].as_array().unwrap();
        assert_eq!(kinds(&messages[1]), ["thinking", "text", "redacted_thinking", "tool_use", "tool_use"]);
        assert_eq!(kinds(&messages[2]), ["tool_result", "tool_result", "text"], "results first, in one message");
        assert_eq!(messages[1]["content"][3]["id"], messages[2]["content"][0]["tool_use_id"]);
        assert_eq!(messages[1]["content"][4]["input"], json!({"unreadable": "{"}));
        assert_eq!(messages[1]["content"][4]["name"], "read_gauge");
        assert_eq!(messages.len(), 3);
    }

    #[test]
    fn no_message_is_blank() {
        let blank = Message::Assistant { text: " ".into(), calls: Vec::new(), opaque: None };
        let body = sent(vec![user("go"), blank, user("")], &MessagesOptions::within(9));
        for message in body["messages"].as_array().unwrap() {
            assert_eq!(message["content"].as_array().map(Vec::len), Some(1), "{message}");
            assert!(!message["content"][0]["text"].as_str().unwrap().trim().is_empty(), "{message}");
        }
    }

    #[test]
    fn what_is_written_is_sent_and_nothing_else() {
        let plain = sent(vec![user("go")], &MessagesOptions::within(9));
        let keys: Vec<&String> = plain.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["max_tokens", "messages", "model", "system", "tools"]);
        assert_eq!((&plain["max_tokens"], &plain["system"][0]["text"]), (&json!(9), &json!("be brief")));
        assert_eq!(
            plain["tools"],
            json!([{"name": "read__gauge", "description": "reads", "input_schema": {"type": "object"}}])
        );
        let options = MessagesOptions {
            temperature: Some(0.5),
            effort: Some("low".to_owned()),
            parallel_tools: Some(false),
            request: json!({"thinking": {"type": "adaptive"}}).as_object().unwrap().clone(),
            ..MessagesOptions::within(9)
        };
        let body = sent(vec![user("go")], &options);
        assert_eq!((&body["temperature"], &body["output_config"]), (&json!(0.5), &json!({"effort": "low"})));
        assert_eq!(body["tool_choice"], json!({"type": "auto", "disable_parallel_tool_use": true}));
        assert_eq!(body["thinking"], json!({"type": "adaptive"}));
    }
}
