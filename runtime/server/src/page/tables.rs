//! `/packs`, `/tools`, `/tokens`: what this server works with, and who may come in.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use provost_domain::pack::Pack;
use serde_json::json;

use super::describe::{effect, word};
use super::frame::{Frame, rendered};
use super::guard::Viewer;
use super::text::{number, pretty};
use crate::app::Server;
use crate::problem::Problem;
use crate::views::TokenView;

#[derive(Debug)]
struct AgentRow {
    name: String,
    role: &'static str,
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
    fields: String,
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
    rendered(&PacksPage { frame, packs: server.engine().packs().values().map(|loaded| pack(loaded)).collect() })
}

fn listed<T: ToString>(names: impl IntoIterator<Item = T>) -> String {
    names.into_iter().map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

fn pack(pack: &Pack) -> PackRow {
    let agents = pack.agents.values().map(|agent| AgentRow {
        name: agent.name.to_string(),
        role: agent.role.as_str(),
        model: agent.model.clone(),
        tools: listed(&agent.tools),
    });
    let limits = &pack.limits;
    PackRow {
        name: pack.name.clone(),
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
        fields: pretty(pack.fields.raw()),
    }
}

#[derive(Debug)]
struct ToolRow {
    name: String,
    description: String,
    effect: &'static str,
    risk: String,
    arguments: String,
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
    let catalog = server.engine().catalog();
    let tools = catalog.values().map(|spec| ToolRow {
        name: spec.name.to_string(),
        description: spec.description.clone(),
        effect: effect(spec.effect),
        risk: word(&json!(spec.risk)),
        arguments: pretty(spec.schema.raw()),
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
    let tokens = server.access().tokens().tokens().await?;
    rendered(&TokensPage { frame, tokens: tokens.iter().map(TokenView::from).collect() })
}
