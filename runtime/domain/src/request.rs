//! Builds what a model is asked: a pure function of session and pack.

use std::sync::Arc;

use serde_json::json;

use crate::envelope::{FINISH_TOOL, finish_schema};
use crate::ids::ToolName;
use crate::model::{Message, ModelRequest, ToolOffer};
use crate::pack::{AgentSpec, Pack};
use crate::port::Roles;
use crate::session::Session;
use crate::tool::Catalog;
use crate::work::{Turn, Work};

/// The tools an agent is offered: its own by wire name, without the arguments the runtime supplies, and `finish_turn` with
/// the signals of its own routes and its role's report.
pub fn offers(agent: &AgentSpec, pack: &Pack, catalog: &Catalog, roles: &dyn Roles) -> Arc<[ToolOffer]> {
    let own = agent.tools.iter().filter_map(|name| offer(name, pack, catalog));
    let report = roles.report_schema(&agent.role.name).map(|schema| (schema, agent.report_required));
    let finish = ToolOffer {
        name: FINISH_TOOL.to_owned(),
        description: "Ends your turn with your report.".to_owned(),
        schema: finish_schema(agent.signals(), report),
    };
    own.chain([finish]).collect()
}

fn offer(name: &ToolName, pack: &Pack, catalog: &Catalog) -> Option<ToolOffer> {
    let (description, schema) = if let Some(spec) = catalog.get(name) {
        (spec.description.clone(), spec.schema.without(pack.inject.keys().map(String::as_str)))
    } else if let Some(tool) = pack.terminal_tools.get(name) {
        (format!("Claims the outcome `{}`; verified before it counts.", tool.outcome), tool.schema.raw().clone())
    } else if let Some(schema) = pack.findings_tools.get(name) {
        ("Records a typed finding; sets no status.".to_owned(), schema.raw().clone())
    } else {
        let tool = pack.patch_tools.get(name)?;
        (format!("Updates these fields of the case: {}.", tool.fields.join(", ")), tool.schema.raw().clone())
    };
    Some(ToolOffer { name: name.wire(), description, schema })
}

/// The question of the turn's present round.
pub fn build(
    session: &Session,
    (work, turn): (&Work, &Turn),
    agent: &AgentSpec,
    offers: &Arc<[ToolOffer]>,
) -> ModelRequest {
    let mut messages = Vec::with_capacity(turn.history.len() + 1);
    messages.push(Message::User { text: Arc::clone(&work.briefing) });
    messages.extend(turn.history.iter().cloned());
    ModelRequest {
        session: session.id(),
        agent: agent.name.clone(),
        assignment: work.assignment,
        round: turn.round,
        model: agent.model.clone(),
        system: Arc::clone(&agent.prompt),
        messages,
        tools: Arc::clone(offers),
        case: Arc::new(session.case()),
    }
}

/// Tokens to reserve before a call: a generous estimate of the question, a quarter of its bytes.
pub fn reservation(work: &Work, turn: &Turn) -> u64 {
    let history: usize = turn.history.iter().map(|message| json!(message).to_string().len()).sum();
    ((work.briefing.len() + history) / 4) as u64
}

/// Every call has its result, right after the message that made it, in call order: what every provider demands.
pub fn is_valid_history(messages: &[Message]) -> bool {
    let mut open = Vec::new();
    for message in messages {
        match message {
            Message::User { .. } if open.is_empty() => {}
            Message::Assistant { calls, .. } if open.is_empty() => {
                open = calls.iter().rev().map(|call| call.id.clone()).collect();
            }
            Message::Tool { call, .. } if open.last() == Some(call) => drop(open.pop()),
            Message::User { .. } | Message::Assistant { .. } | Message::Tool { .. } => return false,
        }
    }
    open.is_empty()
}
