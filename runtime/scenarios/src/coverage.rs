//! Which parts of a pack a session reached, from its log alone: each event is looked at as the session stood before it.

use std::collections::BTreeSet;
use std::fmt;

use provost_domain::decide::route_choice;
use provost_domain::event::{ApprovalRequested, Event, EventBody, OperatorAsked, RouteDecided, ToolRefused};
use provost_domain::gate::{ENVIRONMENT, GateCall, GateReason, rules_about};
use provost_domain::ids::{CallId, ToolName};
use provost_domain::inject;
use provost_domain::model::Arguments;
use provost_domain::names::CaseNames;
use provost_domain::pack::{Pack, Route, RouteTo};
use provost_domain::refusal::ToolRefusal;
use provost_domain::route::RoutePlace;
use provost_domain::session::Session;
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_domain::tool::Catalog;
use serde_json::{Value, json};

/// A part of a pack that a session may reach or not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackPlace {
    /// A way for a case to end.
    Outcome(String),
    /// A rule of `dispatch`, by its place in the list.
    Dispatch(usize),
    /// A route of an agent, by its place in the list.
    Route {
        /// Whose route it is.
        agent: String,
        /// Its place, from 0.
        place: usize,
        /// What it takes and where it leads.
        words: String,
    },
    /// A rule of the gates, by its place in the list.
    Gate {
        /// Its place, from 0.
        place: usize,
        /// The tools it is about.
        tool: String,
    },
    /// The gate that asks for a confidence (`gates.confidence_below`).
    Confidence,
    /// The question to an operator on a route with a `gate` of its own.
    Question {
        /// The agent whose report is asked about.
        agent: String,
        /// The route's place, from 0.
        place: usize,
    },
    /// What an agent measures.
    Watch(String),
}

impl PackPlace {
    /// The word for its kind, as lists are headed with it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Outcome(_) => "outcome",
            Self::Dispatch(_) | Self::Route { .. } => "route",
            Self::Gate { .. } | Self::Confidence => "gate",
            Self::Question { .. } => "question",
            Self::Watch(_) => "watch",
        }
    }
}

impl fmt::Display for PackPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outcome(name) => write!(f, "outcome `{name}`"),
            Self::Dispatch(place) => write!(f, "rule {} of `dispatch`", place + 1),
            Self::Route { agent, place, words } => write!(f, "route {} of `{agent}`: {words}", place + 1),
            Self::Gate { place, tool } => write!(f, "rule {} of the gates, for `{tool}`", place + 1),
            Self::Confidence => f.write_str("the gate `confidence_below`"),
            Self::Question { agent, place } => write!(f, "the question on route {} of `{agent}`", place + 1),
            Self::Watch(agent) => write!(f, "the watch of `{agent}`"),
        }
    }
}

/// What sessions reached of a pack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage(BTreeSet<PackPlace>);

impl Coverage {
    /// What a session's log reached.
    pub(crate) fn of(pack: &Pack, catalog: &Catalog, events: &[Event]) -> Self {
        let mut tracer = Tracer { pack, catalog, session: None, places: BTreeSet::new() };
        for event in events {
            tracer.look(event);
            if Session::advance(&mut tracer.session, event).is_err() {
                break;
            }
        }
        if let Some(Status::Outcome(name)) = tracer.session.as_ref().map(Session::status) {
            tracer.places.insert(PackPlace::Outcome(name.clone()));
        }
        Self(tracer.places)
    }

    /// Adds what another session reached.
    pub fn add(&mut self, other: &Self) {
        self.0.extend(other.0.iter().cloned());
    }

    /// What of the pack was not reached.
    pub fn missing(&self, pack: &Pack) -> Vec<PackPlace> {
        everything(pack).difference(&self.0).cloned().collect()
    }
}

/// All that sessions of a pack can reach.
fn everything(pack: &Pack) -> BTreeSet<PackPlace> {
    let outcomes = pack.outcomes.keys().map(|name| PackPlace::Outcome(name.clone()));
    let dispatch = (0..pack.dispatch.len()).map(PackPlace::Dispatch);
    let gates = pack.gates.rules.iter().enumerate();
    let gates = gates.map(|(place, rule)| PackPlace::Gate { place, tool: rule.tool.clone() });
    let confidence = pack.gates.confidence_below.map(|_| PackPlace::Confidence);
    let mut all: BTreeSet<PackPlace> = outcomes.chain(dispatch).chain(gates).chain(confidence).collect();
    for agent in pack.agents.values() {
        for (place, own) in agent.routes.iter().enumerate() {
            all.insert(route(agent.name.as_str(), place, own));
            if own.gate_below.is_some() {
                all.insert(PackPlace::Question { agent: agent.name.to_string(), place });
            }
        }
        if agent.watch.is_some() {
            all.insert(PackPlace::Watch(agent.name.to_string()));
        }
    }
    all
}

fn route(agent: &str, place: usize, route: &Route) -> PackPlace {
    let to = match &route.to {
        RouteTo::Agent(agent) => agent.as_str(),
        RouteTo::End => "end",
        RouteTo::Operator => "an operator",
    };
    let condition = route.condition.as_ref().map(|condition| format!(" when `{condition}`")).unwrap_or_default();
    PackPlace::Route { agent: agent.to_owned(), place, words: format!("{}{condition} to {to}", route.when) }
}

/// Follows a log.
struct Tracer<'a> {
    pack: &'a Pack,
    catalog: &'a Catalog,
    /// As it stood before the event that is looked at.
    session: Option<Session>,
    places: BTreeSet<PackPlace>,
}

impl Tracer<'_> {
    fn look(&mut self, event: &Event) {
        let Some(session) = self.session.take() else { return };
        match &event.body {
            EventBody::RouteDecided(decided) => self.routed(&session, decided, event.at),
            EventBody::OperatorAsked(asked) => self.asked(asked),
            EventBody::ToolIntended(e) if e.approval.is_none() => self.gated(&session, &e.tool, &e.args, event.at),
            EventBody::ApprovalRequested(ApprovalRequested { tool, args, .. }) => {
                self.gated(&session, tool, args, event.at);
            }
            EventBody::ToolRefused(ToolRefused { call, refusal: ToolRefusal::Denied { .. }, .. }) => {
                self.denied(&session, call, event.at);
            }
            EventBody::GateFired(fired) if fired.call.is_some() && fired.reason == GateReason::LowConfidence => {
                self.places.insert(PackPlace::Confidence);
            }
            EventBody::AgentFinished(finished) => {
                let agent = self.pack.agents.get(&finished.agent);
                if agent.is_some_and(|agent| agent.watch.is_some()) {
                    self.places.insert(PackPlace::Watch(finished.agent.to_string()));
                }
            }
            // A call under an approval was looked at when that was asked for; what follows says nothing about the pack.
            EventBody::ToolIntended(_)
            | EventBody::ToolRefused(_)
            | EventBody::GateFired(_)
            | EventBody::StatusChanged(_)
            | EventBody::SessionCreated(_)
            | EventBody::CatalogueChanged(_)
            | EventBody::SessionStarted(_)
            | EventBody::AssignmentIssued(_)
            | EventBody::AssignmentRedispatched(_)
            | EventBody::ModelRequested(_)
            | EventBody::ModelReplied(_)
            | EventBody::ModelFailed(_)
            | EventBody::ModelDeferred(_)
            | EventBody::RepairRequested(_)
            | EventBody::ToolReturned(_)
            | EventBody::ToolDeferred(_)
            | EventBody::CallReissued(_)
            | EventBody::ProbeRequested(_)
            | EventBody::CallProbed(_)
            | EventBody::ApprovalAnswered(_)
            | EventBody::ApprovalDecided(_)
            | EventBody::ApprovalExpired(_)
            | EventBody::ApprovalStale(_)
            | EventBody::ApprovalExtended(_)
            | EventBody::OutcomeUnknown(_)
            | EventBody::OutcomeSettled(_)
            | EventBody::ConfidenceEmitted(_)
            | EventBody::ConfidenceMismatched(_)
            | EventBody::OperatorSpoke(_)
            | EventBody::AgentFailed(_)
            | EventBody::MeasureRead(_)
            | EventBody::WatchPolled(_)
            | EventBody::FieldsPatched(_)
            | EventBody::FindingRecorded(_)
            | EventBody::ClaimRaised(_)
            | EventBody::ClaimRefused(_)
            | EventBody::CaseAcknowledged(_)
            | EventBody::SignalReceived(_)
            | EventBody::NoteAdded(_)
            | EventBody::LimitReached(_)
            | EventBody::StopRequested(_)
            | EventBody::RetryStarted(_)
            | EventBody::SessionErased(_) => {}
        }
        self.session = Some(session);
    }

    /// The route whose gate asked an operator. The decision before it stands in the places already.
    fn asked(&mut self, asked: &OperatorAsked) {
        let agent = self.pack.agents.get(&asked.from).filter(|_| asked.threshold.is_some());
        let routes = agent.into_iter().flat_map(|agent| agent.routes.iter().enumerate());
        let gated = routes.filter(|(_, route)| route.gate_below == asked.threshold && route.to == asked.target);
        self.places.extend(gated.map(|(place, _)| PackPlace::Question { agent: asked.from.to_string(), place }));
    }

    /// The rule or the route that a decision followed, found as the decision found it.
    fn routed(&mut self, session: &Session, decided: &RouteDecided, at: Timestamp) {
        let Some(agent) = self.pack.agents.get(&decided.from) else { return };
        let Some(report) = session.reports().get(&decided.from) else { return };
        let choice = route_choice((self.pack, agent), session, report, at);
        // A decision that was taken otherwise than it is found here would be a fault; it does not count.
        if choice.to != decided.to {
            return;
        }
        match choice.place {
            Some(RoutePlace::Dispatch(place)) => drop(self.places.insert(PackPlace::Dispatch(place))),
            Some(RoutePlace::Route(place)) => {
                self.places.extend(agent.routes.get(place).map(|own| route(agent.name.as_str(), place, own)));
            }
            None => {}
        }
    }

    /// The rules of the gates that say something about a call.
    fn gated(&mut self, session: &Session, tool: &ToolName, args: &Value, at: Timestamp) {
        let Some(spec) = self.catalog.get(tool) else { return };
        let injected = inject::values(&self.pack.inject, session.id(), session.handle(), session.fields());
        let own = args.get(ENVIRONMENT).and_then(Value::as_str);
        let environment = own.or_else(|| injected.get(ENVIRONMENT)?.as_ref()?.as_str());
        let call = GateCall { tool, stake: spec.stake(), changes_world: spec.changes_world(), environment };
        let names =
            CaseNames::of_call(session, at, (tool, Some(spec)), args).with("confidence", json!(session.confidence()));
        for place in rules_about(&call, &self.pack.gates, &|when| names.judge(when)) {
            if let Some(rule) = self.pack.gates.rules.get(place) {
                self.places.insert(PackPlace::Gate { place, tool: rule.tool.clone() });
            }
        }
    }

    /// The same of a call that was denied, whose arguments are those that the model wrote.
    fn denied(&mut self, session: &Session, call: &CallId, at: Timestamp) {
        let Some(call) = session.call(call) else { return };
        let Arguments::Json(args) = &*call.args else { return };
        self.gated(session, &ToolName::new(call.wire.replacen("__", ":", 1)), args, at);
    }
}
