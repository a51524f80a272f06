//! `/packs`, `/tools`, `/tokens`: what this server works with, and who may come in.

use provost_face::{TokenView, VisibleText, effect, number, word};

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use provost_domain::pack::Pack;
use serde_json::json;

use super::frame::{Frame, rendered};
use super::guard::Viewer;
use crate::problem::Problem;
use crate::state::Server;

/// Most characters of a schema; the API has all of it.
const SCHEMA_MAX: usize = 64 * 1024;

#[derive(Debug)]
struct AgentRow {
    name: String,
    role: String,
    model: String,
    tools: String,
}

#[derive(Debug)]
struct PackRow {
    name: String,
    version: u32,
    digest: String,
    agents: Vec<AgentRow>,
    terminal_tools: String,
    limits: Vec<(&'static str, String)>,
    fields: VisibleText,
}

#[derive(Template)]
#[template(path = "packs.html")]
struct PacksPage {
    frame: Frame,
    packs: Vec<PackRow>,
}

/// The loaded packs.
pub(crate) async fn packs(State(server): State<Server>, viewer: Viewer) -> Result<Response, Problem> {
    let frame = Frame::new(&server, &viewer, "/packs").await?;
    let packs = server.operations().loaded_packs(&viewer.caller)?;
    rendered(&PacksPage { frame, packs: packs.values().map(|loaded| pack(loaded)).collect() })
}

fn listed<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

fn pack(pack: &Pack) -> PackRow {
    let agents = pack.agents.values().map(|agent| AgentRow {
        name: agent.name.to_string(),
        role: agent.role.name.to_string(),
        model: agent.model.clone(),
        tools: listed(&agent.tools),
    });
    let limits = &pack.limits;
    PackRow {
        name: pack.name.to_string(),
        version: pack.version,
        digest: pack.digest.hex(),
        agents: agents.collect(),
        terminal_tools: listed(pack.terminal_tools.keys()),
        limits: vec![
            ("model calls per turn", number(u64::from(limits.model_calls_per_turn))),
            ("tool calls per turn", number(u64::from(limits.tool_calls_per_turn))),
            ("tokens per session", number(limits.session_tokens)),
            ("assignments per session", number(u64::from(limits.assignments_per_session))),
            ("retries", number(u64::from(pack.retry.max))),
        ],
        fields: VisibleText::json(pack.fields.raw(), SCHEMA_MAX),
    }
}

#[derive(Debug)]
struct ToolRow {
    name: String,
    description: String,
    effect: &'static str,
    risk: String,
    arguments: VisibleText,
}

#[derive(Template)]
#[template(path = "tools.html")]
struct ToolsPage {
    frame: Frame,
    tools: Vec<ToolRow>,
}

/// The tools there are.
pub(crate) async fn tools(State(server): State<Server>, viewer: Viewer) -> Result<Response, Problem> {
    let frame = Frame::new(&server, &viewer, "/tools").await?;
    let catalog = server.operations().catalog(&viewer.caller)?;
    let tools = catalog.values().map(|spec| ToolRow {
        name: spec.name.to_string(),
        description: spec.description.clone(),
        effect: effect(spec.effect),
        risk: word(&json!(spec.risk)),
        arguments: VisibleText::json(spec.schema.raw(), SCHEMA_MAX),
    });
    rendered(&ToolsPage { frame, tools: tools.collect() })
}

#[derive(Template)]
#[template(path = "tokens.html")]
struct TokensPage {
    frame: Frame,
    tokens: Vec<TokenView>,
}

/// Every token, without its secret. Minting and revoking is left to the command line and the API.
pub(crate) async fn tokens(State(server): State<Server>, viewer: Viewer) -> Result<Response, Problem> {
    let frame = Frame::new(&server, &viewer, "/tokens").await?;
    let tokens = server.tokens().list(&viewer.caller).await?.items;
    rendered(&TokensPage { frame, tokens })
}
