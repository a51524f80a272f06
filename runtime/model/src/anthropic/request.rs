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
