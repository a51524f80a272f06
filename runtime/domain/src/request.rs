//! Builds what a model is asked, down to the bytes of the request: a pure function of the session, its pack and the models.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::envelope::{FINISH_TOOL, finish_schema};
use crate::failure::ModelFailure;
use crate::ids::{AgentName, Digest, ToolName};
use crate::inject;
use crate::model::{Message, ModelOrigin, ModelRequest, OpaqueItem, ToolOffer};
use crate::pack::{AgentSpec, Pack};
use crate::port::{Models, Roles};
use crate::session::{Session, stored_result};
use crate::tool::{Blob, Catalog};
use crate::wire;
use crate::work::{RequestPin, Turn, Work};

/// The tools that each agent of a pack is offered; the same as long as pack, tools and roles are.
#[derive(Debug, Clone, Default)]
pub struct Offers {
    by_agent: BTreeMap<AgentName, Arc<[ToolOffer]>>,
    /// The fields of a session that a tool stands on, by the name it is offered under.
    needs: BTreeMap<String, Vec<String>>,
    claims: bool,
}

impl Offers {
    /// Those of every agent that asks a model.
    pub fn of(pack: &Pack, catalog: &Catalog, roles: &dyn Roles) -> Self {
        let asking = pack.agents.values().filter(|agent| agent.watch.is_none());
        let by_agent = asking.map(|agent| (agent.name.clone(), offers(agent, pack, catalog, roles))).collect();
        let needs = catalog.iter().map(|(name, spec)| {
            (name.wire(), inject::needs(pack, &spec.schema).into_iter().map(str::to_owned).collect::<Vec<_>>())
        });
        let needs = needs.filter(|(_, fields)| !fields.is_empty()).collect();
        Self { by_agent, needs, claims: catalog.values().any(|spec| spec.may_claim(pack.target.as_ref())) }
    }

    /// Whether a call may claim a target: only then can a store refuse what was decided because of what another session holds.
    pub fn may_claim(&self) -> bool {
        self.claims
    }

    /// Those of an agent in a session with these fields; none for an agent the pack does not have.
    pub fn to(&self, agent: &AgentName, fields: &Value) -> Arc<[ToolOffer]> {
        let Some(all) = self.by_agent.get(agent) else { return Arc::from([]) };
        let stands = |offer: &ToolOffer| {
            let needed = self.needs.get(&offer.name).into_iter().flatten();
            inject::has_all(fields, needed.map(String::as_str))
        };
        if all.iter().all(stands) {
            return Arc::clone(all);
        }
        all.iter().filter(|offer| stands(offer)).cloned().collect()
    }
}

/// A question with the exact bytes that ask it.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What is asked.
    pub request: ModelRequest,
    /// The body of the request that leaves.
    pub body: Vec<u8>,
    /// What its event says of the request.
    pub pin: RequestPin,
}

/// What a question is made of besides session and pack.
#[derive(Clone, Copy)]
pub(crate) struct Materials<'a> {
    /// The configured models.
    pub(crate) models: &'a dyn Models,
    /// The configured name of the one that is asked.
    pub(crate) model: &'a str,
    /// The tools that agents are offered.
    pub(crate) offers: &'a Offers,
    /// Large values by the hash that names them.
    pub(crate) contents: &'a dyn Fn(Digest) -> Option<Arc<Value>>,
}

/// Most characters of a tool's description that every server takes.
const DESCRIPTION_MAX: usize = 1024;

/// The tools an agent is offered: its own by wire name, without the arguments the runtime supplies, and `finish_turn` with
/// the signals of its own routes and its role's report.
pub fn offers(agent: &AgentSpec, pack: &Pack, catalog: &Catalog, roles: &dyn Roles) -> Arc<[ToolOffer]> {
    let own = agent.tools.iter().filter_map(|name| offer(name, pack, catalog));
    let report = agent.report_schema(roles).map(|schema| (schema, agent.report_required));
    let finish = ToolOffer {
        name: FINISH_TOOL.to_owned(),
        description: "Ends your turn with your report.".to_owned(),
        schema: wire::schema(&finish_schema(agent.signals(), report)).into(),
    };
    own.chain([finish]).collect()
}

fn offer(name: &ToolName, pack: &Pack, catalog: &Catalog) -> Option<ToolOffer> {
    let (description, schema) = if let Some(spec) = catalog.get(name) {
        (spec.description.clone(), spec.schema.without(pack.inject.keys().map(String::as_str)))
    } else if let Some(tool) = pack.terminal_tools.get(name) {
        (described(tool.about.as_deref(), &tool.outcome.told()), tool.schema.raw().clone())
    } else if let Some(tool) = pack.findings_tools.get(name) {
        let description = described(tool.about.as_deref(), "Records a typed finding; sets no status.");
        (description, tool.schema.raw().clone())
    } else {
        let tool = pack.patch_tools.get(name)?;
        (format!("Updates these fields of the case: {}.", tool.fields.join(", ")), tool.schema.raw().clone())
    };
    let description = description.chars().take(DESCRIPTION_MAX).collect();
    Some(ToolOffer { name: name.wire(), description, schema: wire::schema(&schema).into() })
}

/// What the pack says of a tool, and what the runtime does with its calls.
fn described(about: Option<&str>, rule: &str) -> String {
    about.map_or_else(|| rule.to_owned(), |about| format!("{about} {rule}"))
}

/// The question of the turn's present round, without the case behind it.
pub fn build(
    session: &Session,
    (work, turn): (&Work, Turn),
    agent: &AgentSpec,
    offers: &Arc<[ToolOffer]>,
) -> ModelRequest {
    let mut messages = Vec::with_capacity(turn.history.len() + 1);
    messages.push(Message::User { text: Arc::clone(&work.briefing) });
    messages.extend(turn.history);
    ModelRequest {
        session: session.id(),
        agent: agent.name.clone(),
        assignment: work.assignment,
        round: turn.round,
        model: agent.model.clone(),
        system: Arc::clone(&agent.prompt),
        messages,
        tools: Arc::clone(offers),
        case: Arc::default(),
    }
}

/// The question of a turn's present round, as it leaves: with the large results that events only name, and with the opaque
/// items of the server and model that is asked, and of no other.
///
/// # Errors
/// No model has the name that is asked for, or a large value is not to be had.
pub(crate) fn question(
    session: &Session,
    (work, turn): (&Work, Turn),
    agent: &AgentSpec,
    from: Materials<'_>,
) -> Result<Question, ModelFailure> {
    let origin = from.models.origin(from.model)?;
    let mut request = build(session, (work, turn), agent, &from.offers.to(&agent.name, session.fields()));
    from.model.clone_into(&mut request.model);
    if from.models.reads_case(from.model) {
        request.case = Arc::new(session.case());
    }
    for message in &mut request.messages {
        complete(message, &origin, from.contents)?;
    }
    let body = from.models.body(&request)?;
    let pin = RequestPin { origin, body_sha256: Digest::of(&body) };
    Ok(Question { request, body, pin })
}

/// Puts in what is only named, and takes out what another server or model sent.
fn complete(
    message: &mut Message,
    origin: &ModelOrigin,
    contents: &dyn Fn(Digest) -> Option<Arc<Value>>,
) -> Result<(), ModelFailure> {
    let content = |digest: Digest| {
        let detail =
            format!("the large value {digest} of an earlier round cannot be read; see the log of this process");
        contents(digest).ok_or(ModelFailure::Unavailable { detail })
    };
    match message {
        Message::User { .. } => {}
        Message::Assistant { opaque, .. } => {
            *opaque = opaque.take().filter(|state| state.origin == *origin);
            for item in opaque.iter_mut().flat_map(|state| &mut state.items) {
                if let Some(digest) = OpaqueItem::stored(item) {
                    item.json = Blob::Inline(content(digest)?);
                }
            }
        }
        Message::Tool { result, .. } => {
            let Some(digest) = stored_result(result) else { return Ok(()) };
            let value = content(digest)?;
            let mut shown = (**result).clone();
            if let Some(shown) = shown.as_object_mut() {
                shown.remove("stored");
                shown.insert("content".to_owned(), (*value).clone());
            }
            *result = Arc::new(shown);
        }
    }
    Ok(())
}

/// Tokens to reserve before a call: a generous estimate of the question, a quarter of its bytes.
pub fn reservation(work: &Work, turn: &Turn) -> u64 {
    (work.briefing.len().saturating_add(turn.history.bytes()) / 4) as u64
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
