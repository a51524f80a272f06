//! One session with its pack and tools: what is asked of it and reported to it is decided at once and folded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use provost_domain::citation::OlderResults;
use provost_domain::command::{Ask, Command, Report};
use provost_domain::decide::{self, Facts, InputDigests};
use provost_domain::event::{Event, EventBody, SessionCreated};
use provost_domain::failure::ModelFailure;
use provost_domain::gate::{ApprovalRule, GateAction, GatePolicy, GateRule};
use provost_domain::ids::{
    AgentName, ApprovalId, AssignmentId, CallId, Digest, Fence, Handle, Seq, SessionId, ToolName,
};
use provost_domain::model::{Arguments, ModelOrigin, ModelReply, ModelRequest, ProposedCall};
use provost_domain::origin::CaseOrigin;
use provost_domain::outage::OutageBudgets;
use provost_domain::pack::{AgentSpec, ClaimOutcome, Limits, OutcomeKind, Pack, Route, RouteTo, TerminalTool};
use provost_domain::port::{Models, Roles};
use provost_domain::principal::Principal;
use provost_domain::projection::{ClaimChanges, Obstacles};
use provost_domain::refusal::Refusal;
use provost_domain::request::Offers;
use provost_domain::retry::RetryPolicy;
use provost_domain::role::{Authority, RoleSpec};
use provost_domain::roster::Rosters;
use provost_domain::schema::ArgSchema;
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_domain::tool::{Catalog, Contents, EffectClass, Risk, ToolOutcome, ToolSpec};
use provost_domain::work::WorkForm;
use serde_json::{Value, json};

#[derive(Debug)]
pub(crate) struct Brief;

impl Roles for Brief {
    fn specs(&self) -> Vec<RoleSpec> {
        vec![closes()]
    }

    fn digest(&self) -> Digest {
        Digest::of(b"roles")
    }

    fn brief(&self, _: &Session, _: &AgentSpec, _: &Pack) -> String {
        "Look at it.".to_owned()
    }
}

/// Models that are asked nothing here: one that stands in for any other, where there is one.
#[derive(Debug, Default)]
pub(crate) struct Anywhere(pub(crate) Vec<String>);

impl Models for Anywhere {
    fn origin(&self, name: &str) -> Result<ModelOrigin, ModelFailure> {
        Ok(ModelOrigin::internal(name))
    }

    fn fallbacks(&self, _: &str) -> &[String] {
        &self.0
    }

    fn body(&self, _: &ModelRequest) -> Result<Vec<u8>, ModelFailure> {
        Ok(Vec::new())
    }
}

/// A session, its pack and its tools.
pub(crate) struct World {
    pub(crate) pack: Pack,
    pub(crate) catalog: Catalog,
    offers: Offers,
    contents: Contents,
    pub(crate) models: Anywhere,
    pub(crate) session: Session,
    pub(crate) now: Timestamp,
    /// Results that the log holds and the session no longer does.
    pub(crate) older: OlderResults,
    /// Every event since it was created.
    pub(crate) log: Vec<EventBody>,
    /// How long calls wait for servers that fail: not at all, unless a test says so.
    pub(crate) outages: OutageBudgets,
    /// The fence it is held under.
    pub(crate) fence: Fence,
    /// Since when its owner listens; `None`: since this instant, always.
    pub(crate) since: Option<Timestamp>,
    /// What the store said of what was decided before.
    pub(crate) obstacles: Obstacles,
    /// What the last verdict takes and releases.
    pub(crate) claims: ClaimChanges,
}

/// The person who opened it.
pub(crate) fn opener() -> Principal {
    Principal::user("opener")
}

/// Somebody else.
pub(crate) fn other() -> Principal {
    Principal::user("other")
}

impl World {
    /// A started session whose only agent, `first`, closes; with changes to its pack and its tools.
    pub(crate) fn started(change: impl FnOnce(&mut Pack, &mut Catalog)) -> Self {
        let mut world = Self::opened(change);
        world.ask(&opener(), Ask::Start).unwrap();
        world
    }

    /// The same before it is started.
    pub(crate) fn opened(change: impl FnOnce(&mut Pack, &mut Catalog)) -> Self {
        let (mut pack, mut catalog) = (pack(), catalog());
        change(&mut pack, &mut catalog);
        let created = SessionCreated {
            session: SessionId::new(uuid::Uuid::from_u128(7)),
            handle: Handle::new("CASE-1"),
            pack: pack.name.clone(),
            pack_version: pack.version,
            pack_digest: pack.digest,
            fields: json!({"environment": "production"}).into(),
            parent: None,
            by: opener(),
            catalogue_digest: None,
            roles_digest: None,
            origin: CaseOrigin::default(),
        };
        let now = Timestamp::from_micros(1_000_000);
        let body = decide::create(created);
        let session = Session::create(&Event { seq: Seq(1), at: now, fence: Fence(1), body }).unwrap();
        let (offers, contents) = (Offers::default(), Contents::default());
        Self {
            pack,
            catalog,
            offers,
            contents,
            models: Anywhere::default(),
            session,
            now,
            older: OlderResults::new(),
            log: Vec::new(),
            outages: OutageBudgets::NONE.clone(),
            fence: Fence(1),
            since: None,
            obstacles: Obstacles::default(),
            claims: ClaimChanges::default(),
        }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            now: self.now,
            fence: self.fence,
            since: self.since.unwrap_or(self.now),
            pack: &self.pack,
            catalog: &self.catalog,
            older: &self.older,
            roles: &Brief,
            inputs: InputDigests { catalogue: Digest::of(b"tools"), roles: Brief.digest() },
            models: &self.models,
            offers: &self.offers,
            contents: &self.contents,
            outages: &self.outages,
            obstacles: &self.obstacles,
        }
    }

    pub(crate) fn ask(&mut self, by: &Principal, ask: Ask) -> Result<Vec<EventBody>, Refusal> {
        self.command(&Command { by: by.clone(), if_version: None, ask })
    }

    pub(crate) fn command(&mut self, command: &Command) -> Result<Vec<EventBody>, Refusal> {
        let verdict = decide::command(&self.session, command, &self.facts())?;
        self.claims = self.foreseen(verdict.claims);
        self.session = verdict.after;
        self.log.extend(verdict.events.clone());
        Ok(verdict.events)
    }

    /// Claims that are taken must be foreseen: only then does an engine keep the session as it was, to decide again.
    fn foreseen(&self, claims: ClaimChanges) -> ClaimChanges {
        assert!(claims.take.is_empty() || Offers::of(&self.pack, &self.catalog, &Brief).may_claim(), "{claims:?}");
        claims
    }

    pub(crate) fn report(&mut self, report: Report) -> Vec<EventBody> {
        let verdict = decide::report(self.session.clone(), report, &self.facts());
        self.claims = self.foreseen(verdict.claims);
        self.session = verdict.after;
        self.log.extend(verdict.events.clone());
        verdict.events
    }

    /// The model of the one open assignment replies with these calls.
    pub(crate) fn calls(&mut self, calls: &[(&str, Value)]) -> Vec<EventBody> {
        let work = self.session.works().values().next().unwrap();
        let (assignment, round) = (work.assignment, work.turn().unwrap().round);
        let call = |(tool, args): &(&str, Value)| ProposedCall {
            tool: (*tool).to_owned(),
            args: Arguments::Json(args.clone()).into(),
        };
        let calls = calls.iter().map(call).collect();
        let reply = ModelReply { text: "".into(), calls, ..ModelReply::default() };
        self.report(Report::Replied { assignment, round, result: Ok(reply) })
    }

    /// A call of the first assignment's reply in this round.
    pub(crate) fn call_id(round: u32, index: usize) -> CallId {
        CallId::at(AssignmentId(1), round, index)
    }

    pub(crate) fn returns(&mut self, call: &CallId, outcome: ToolOutcome) -> Vec<EventBody> {
        self.report(Report::Returned { call: call.clone(), outcome })
    }

    /// The only approval that waits.
    pub(crate) fn approval(&self) -> ApprovalId {
        let [approval] = self.session.approvals().keys().collect::<Vec<_>>()[..] else {
            panic!("not one approval: {:?}", self.session.approvals())
        };
        approval.clone()
    }

    /// The call that was intended last.
    pub(crate) fn last_intended(&self) -> CallId {
        let call = |event: &EventBody| match event {
            EventBody::ToolIntended(intended) => Some(intended.call.clone()),
            _ => None,
        };
        self.log.iter().rev().find_map(call).unwrap()
    }

    /// The tools that were intended so far, in order.
    pub(crate) fn intended(&self) -> Vec<String> {
        let tool = |event: &EventBody| match event {
            EventBody::ToolIntended(intended) => Some(intended.tool.to_string()),
            _ => None,
        };
        self.log.iter().filter_map(tool).collect()
    }
}

pub(crate) fn ok() -> ToolOutcome {
    ToolOutcome::Ok { content: json!({"done": true}) }
}

/// A schema that takes any object with an environment.
pub(crate) fn anything() -> ArgSchema {
    ArgSchema::new(json!({"type": "object", "properties": {"environment": {}, "n": {}, "evidence": {}}})).unwrap()
}

/// A tool of low risk that changes something.
pub(crate) fn tool(name: &str) -> ToolSpec {
    ToolSpec {
        name: ToolName::new(name),
        description: "acts".to_owned(),
        schema: anything(),
        effect: EffectClass::Unsafe,
        risk: Risk::Low,
        timeout: Duration::from_secs(1),
        output_limit: 1024,
        rosters: BTreeMap::new(),
        tells_people: false,
        claim: provost_domain::claims::ClaimRule::default(),
        risk_floor: None,
        output: None,
    }
}

fn catalog() -> Catalog {
    let look = ToolSpec { effect: EffectClass::Read, ..tool("look:once") };
    let tell = ToolSpec { effect: EffectClass::Idempotent, tells_people: true, ..tool("tell:team") };
    let tools = [tool("act:free"), tool("act:gated"), tool("act:denied"), look, tell];
    tools.into_iter().map(|spec| (spec.name.clone(), Arc::new(spec))).collect()
}

/// A role that may do everything.
fn closes() -> RoleSpec {
    RoleSpec { name: "closer".into(), authority: Authority::Closes, work: WorkForm::Asking }
}

/// A gate rule for every environment.
pub(crate) fn rule(tool: &str, action: GateAction) -> GateRule {
    GateRule { tool: tool.to_owned(), risk: None, action: Some(action), environments: Vec::new(), when: None }
}

/// A terminal tool that leads to `done`, perhaps after another tool succeeded.
pub(crate) fn terminal(effect: Option<&str>) -> TerminalTool {
    TerminalTool {
        about: None,
        outcome: ClaimOutcome::Fixed("done".to_owned()),
        schema: ArgSchema::new(json!({"type": "object"})).unwrap(),
        rosters: BTreeMap::new(),
        requires: BTreeMap::new(),
        conditions: Vec::new(),
        set: BTreeMap::new(),
        effect: effect.map(ToolName::new),
    }
}

fn pack() -> Pack {
    let route = |when: &str, to: RouteTo| Route { when: when.to_owned(), condition: None, to, gate_below: None };
    let tools = ["act:free", "act:gated", "act:denied", "look:once", "tell:team", "mark_done"];
    let first = AgentSpec {
        name: AgentName::new("first"),
        role: closes(),
        model: "stub".to_owned(),
        tools: tools.map(ToolName::new).to_vec(),
        deadline: Duration::from_mins(2),
        routes: vec![route("operator", RouteTo::Operator), route("default", RouteTo::End)],
        report_required: false,
        report_fields: None,
        prompt: "You act.".into(),
        watch: None,
    };
    Pack {
        name: "case".into(),
        version: 1,
        digest: Digest::of(b"case 1"),
        handle: "CASE".to_owned(),
        title: None,
        fields: anything(),
        rosters: Rosters::default(),
        outcomes: BTreeMap::from([("done".to_owned(), OutcomeKind::Success)]),
        terminal_tools: BTreeMap::from([(ToolName::new("mark_done"), terminal(None))]),
        findings_tools: BTreeMap::new(),
        evidence_also: BTreeSet::new(),
        patch_tools: BTreeMap::new(),
        inject: BTreeMap::new(),
        target: None,
        identity: Vec::new(),
        supersede: Vec::new(),
        intake: BTreeMap::new(),
        schedules: Vec::new(),
        entry: first.name.clone(),
        agents: BTreeMap::from([(first.name.clone(), first)]),
        dispatch: Vec::new(),
        gates: GatePolicy {
            rules: vec![rule("act:gated", GateAction::Approve), rule("act:denied", GateAction::Deny)],
            confidence_below: None,
            approval: ApprovalRule { expires: Duration::from_mins(30), min: 1, not_requester: true },
            digest: Digest::of(b"gates"),
        },
        retry: RetryPolicy { max: 2, transient: false, low_confidence_below: None },
        limits: Limits::default(),
    }
}
