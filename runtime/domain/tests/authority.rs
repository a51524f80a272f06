//! Who may ask what, written out: every kind of principal against every command, through the decision itself.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use provost_domain::citation::OlderResults;
use provost_domain::command::Verb;
use provost_domain::command::{Answer, Ask, Command, Report};
use provost_domain::decide::{self, Facts, InputDigests, NOT_LOADED, Unserved, Verdict};
use provost_domain::event::{Event, EventBody, SessionCreated, Settlement};
use provost_domain::failure::{FailureKind, ModelFailure};
use provost_domain::gate::{ApprovalRule, GateAction, GatePolicy, GateRule};
use provost_domain::ids::{AgentName, AssignmentId, CallId, Digest, Fence, Handle, Seq, SessionId, ToolName};
use provost_domain::model::{Arguments, ModelOrigin, ModelReply, ModelRequest, ProposedCall};
use provost_domain::origin::CaseOrigin;
use provost_domain::pack::{AgentSpec, ClaimOutcome, Limits, OutcomeKind, Pack, Route, RouteTo, TerminalTool};
use provost_domain::port::{Models, Roles};
use provost_domain::principal::{Principal, PrincipalKind};
use provost_domain::refusal::Refusal;
use provost_domain::request::Offers;
use provost_domain::retry::RetryPolicy;
use provost_domain::role::{Authority, RoleSpec};
use provost_domain::roster::Rosters;
use provost_domain::schema::ArgSchema;
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_domain::tool::{Catalog, Contents, EffectClass, Happened, Risk, ToolFailure, ToolOutcome, ToolSpec};
use provost_domain::work::WorkForm;
use serde_json::{Value, json};

/// The table. A new kind or command does not compile before it has its row or column here.
fn allowed(kind: PrincipalKind, verb: Verb) -> bool {
    const Y: bool = true;
    const N: bool = false;
    let column = match verb {
        Verb::Start => 0,
        Verb::Continue => 1,
        Verb::Retry => 2,
        Verb::Stop => 3,
        Verb::Answer => 4,
        Verb::Speak => 5,
        Verb::Claim => 6,
        Verb::Settle => 7,
        Verb::Annotate => 8,
        Verb::Acknowledge => 9,
        Verb::Signal => 10,
    };
    // start, continue, retry, stop, answer, speak, claim, settle, annotate, acknowledge, signal
    let row = match kind {
        PrincipalKind::Person => [Y, Y, Y, Y, Y, Y, Y, Y, Y, Y, Y],
        PrincipalKind::Agent => [N, N, N, N, N, N, N, N, N, N, N],
        PrincipalKind::Intake => [Y, N, Y, N, N, N, N, N, N, N, Y],
        PrincipalKind::Ticker => [N, Y, N, N, N, N, N, N, N, N, Y],
        PrincipalKind::Client => [Y, N, N, N, N, N, N, N, N, N, Y],
        PrincipalKind::Runtime => [N, Y, Y, N, N, N, N, N, N, N, Y],
        PrincipalKind::Other => [N, N, N, N, N, N, N, N, N, N, N],
    };
    row[column]
}

/// Principals of a kind, as their texts.
fn principals(kind: PrincipalKind) -> &'static [&'static str] {
    match kind {
        PrincipalKind::Person => &["user:alice", "cli:root"],
        PrincipalKind::Agent => &["agent:first"],
        PrincipalKind::Intake => &["intake:alerts"],
        PrincipalKind::Ticker => &["ticker:approvals"],
        PrincipalKind::Client => &["client:desk"],
        PrincipalKind::Runtime => &["runtime", "runtime:retention"],
        PrincipalKind::Other => &["alice", "person:alice", "User:alice", "operator"],
    }
}

#[test]
fn every_kind_of_principal_may_exactly_what_the_table_says() {
    for kind in PrincipalKind::ALL {
        for text in principals(*kind) {
            let by = Principal::parse(text);
            assert_eq!(by.kind(), *kind, "{text}");
            for verb in Verb::ALL {
                let decided = Case::of(*verb).ask(&by);
                if allowed(*kind, *verb) {
                    assert!(decided.is_ok(), "{text} {verb}: {decided:?}");
                } else {
                    let refusal = Refusal::NotAuthorised { by: by.clone(), verb: *verb };
                    assert_eq!(decided.unwrap_err(), refusal, "{text} {verb}");
                }
            }
        }
    }
}

#[test]
fn a_session_without_its_pack_asks_the_same_table() {
    for kind in PrincipalKind::ALL {
        for verb in Verb::ALL {
            let case = Case::of(*verb);
            let unserved = Unserved { now: NOW, fence: Fence(1), loaded: NOT_LOADED };
            let by = Principal::parse(principals(*kind)[0]);
            let decided = unserved.command(&case.session, &case.command(&by));
            let refused = matches!(&decided, Err(Refusal::NotAuthorised { .. }));
            assert_eq!(refused, !allowed(*kind, *verb), "{by} {verb}: {decided:?}");
        }
    }
}

static OLDER: OlderResults = OlderResults::new();
const NOW: Timestamp = Timestamp::from_micros(1_000_000);

#[derive(Debug)]
struct Brief;

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

/// A model that is asked nothing here.
#[derive(Debug)]
struct Anywhere;

impl Models for Anywhere {
    fn origin(&self, name: &str) -> Result<ModelOrigin, ModelFailure> {
        Ok(ModelOrigin { server: "internal".to_owned(), model: name.to_owned() })
    }

    fn body(&self, _: &ModelRequest) -> Result<Vec<u8>, ModelFailure> {
        Ok(Vec::new())
    }
}

/// A session in which a person's command of one kind is accepted.
struct Case {
    pack: Pack,
    catalog: Catalog,
    offers: Offers,
    contents: Contents,
    session: Session,
    ask: Ask,
}

impl Case {
    fn of(verb: Verb) -> Self {
        let mut case = Self::created();
        let begins = match verb {
            Verb::Start | Verb::Continue => false,
            Verb::Retry
            | Verb::Stop
            | Verb::Answer
            | Verb::Speak
            | Verb::Claim
            | Verb::Settle
            | Verb::Annotate
            | Verb::Acknowledge
            | Verb::Signal => true,
        };
        if begins {
            let started = case.ask(&Principal::user("opener")).unwrap();
            case.session = started.after;
        }
        case.ask = match verb {
            Verb::Start => Ask::Start,
            Verb::Continue => Ask::Continue,
            Verb::Retry => {
                case.reply(Err(ModelFailure::Refused { detail: "no".to_owned() }));
                Ask::Retry { force: true }
            }
            Verb::Stop => Ask::Stop { reason: "enough".to_owned() },
            Verb::Answer => {
                case.calls("act__gated", json!({}));
                let approval = case.session.approvals().keys().next().unwrap().clone();
                Ask::Answer { approval, answer: Answer::Approve, reason: None }
            }
            Verb::Speak => {
                let report = json!({"content": "c", "confidence": 0.9, "rationale": "r", "signal": "operator"});
                case.calls("finish_turn", report);
                Ask::Speak { text: "go on".to_owned() }
            }
            Verb::Claim => Ask::Claim { tool: ToolName::new("mark_done"), args: serde_json::Map::new() },
            Verb::Settle => {
                case.calls("act__free", json!({}));
                let call = CallId::at(AssignmentId(1), 1, 0);
                let failure = ToolFailure {
                    kind: FailureKind::Unknown,
                    happened: Happened::Maybe,
                    detail: "lost".to_owned(),
                    exit: None,
                    signal: None,
                    timeout_ms: None,
                };
                case.report(Report::Returned { call: call.clone(), outcome: ToolOutcome::Failed { failure } });
                Ask::Settle { call, settlement: Settlement::DidNotHappen { note: "looked".to_owned() } }
            }
            Verb::Annotate => Ask::Annotate { text: "seen".to_owned() },
            Verb::Acknowledge => {
                let report = json!({"content": "c", "confidence": 0.9, "rationale": "r", "signal": "operator"});
                case.calls("finish_turn", report);
                Ask::Acknowledge
            }
            Verb::Signal => Ask::Signal { source: "test".to_owned(), payload: json!({}) },
        };
        assert_eq!(case.ask.verb(), verb);
        case
    }

    fn created() -> Self {
        let (pack, catalog) = (pack(), catalog());
        let created = SessionCreated {
            session: SessionId::new(uuid::Uuid::from_u128(7)),
            handle: Handle::new("CASE-1"),
            pack: pack.name.clone(),
            pack_version: pack.version,
            pack_digest: pack.digest,
            fields: json!({}).into(),
            parent: None,
            by: Principal::user("opener"),
            catalogue_digest: None,
            roles_digest: None,
            origin: CaseOrigin::default(),
        };
        let body: EventBody = decide::create(created);
        let session = Session::create(&Event { seq: Seq(1), at: NOW, fence: Fence(1), body }).unwrap();
        Self { pack, catalog, offers: Offers::default(), contents: Contents::default(), session, ask: Ask::Start }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            now: NOW,
            fence: Fence(1),
            since: NOW,
            pack: &self.pack,
            catalog: &self.catalog,
            older: &OLDER,
            roles: &Brief,
            inputs: InputDigests { catalogue: Digest::of(b"tools"), roles: Brief.digest() },
            models: &Anywhere,
            offers: &self.offers,
            contents: &self.contents,
            outages: provost_domain::outage::OutageBudgets::NONE,
            obstacles: provost_domain::projection::Obstacles::NONE,
        }
    }

    fn command(&self, by: &Principal) -> Command {
        Command { by: by.clone(), if_version: None, ask: self.ask.clone() }
    }

    fn ask(&self, by: &Principal) -> Result<Verdict, Refusal> {
        decide::command(&self.session, &self.command(by), &self.facts())
    }

    fn report(&mut self, report: Report) {
        let verdict = decide::report(self.session.clone(), report, &self.facts());
        self.session = verdict.after;
    }

    fn reply(&mut self, result: Result<ModelReply, ModelFailure>) {
        self.report(Report::Replied { assignment: AssignmentId(1), round: 1, result });
    }

    fn calls(&mut self, name: &str, args: Value) {
        let call = ProposedCall { tool: name.to_owned(), args: Arguments::Json(args).into() };
        self.reply(Ok(ModelReply { text: "".into(), calls: vec![call], ..ModelReply::default() }));
    }
}

fn anything() -> ArgSchema {
    ArgSchema::new(json!({"type": "object"})).unwrap()
}

fn catalog() -> Catalog {
    let tool = |name: &str| {
        let spec = ToolSpec {
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
        };
        (spec.name.clone(), Arc::new(spec))
    };
    Catalog::from([tool("act:gated"), tool("act:free")])
}

/// A role that may do everything.
fn closes() -> RoleSpec {
    RoleSpec { name: "closer".into(), authority: Authority::Closes, work: WorkForm::Asking }
}

fn pack() -> Pack {
    let route = |when: &str, to: RouteTo| Route { when: when.to_owned(), condition: None, to, gate_below: None };
    let first = AgentSpec {
        name: AgentName::new("first"),
        role: closes(),
        model: "stub".to_owned(),
        tools: ["act:gated", "act:free", "mark_done"].map(ToolName::new).to_vec(),
        deadline: Duration::from_mins(2),
        routes: vec![route("operator", RouteTo::Operator), route("default", RouteTo::End)],
        report_required: false,
        report_fields: None,
        prompt: "You act.".into(),
        watch: None,
    };
    let done = TerminalTool {
        about: None,
        outcome: ClaimOutcome::Fixed("done".to_owned()),
        schema: anything(),
        rosters: BTreeMap::new(),
        requires: BTreeMap::new(),
        conditions: Vec::new(),
        set: BTreeMap::new(),
        effect: None,
    };
    let gated = GateRule {
        tool: "act:gated".to_owned(),
        risk: None,
        action: Some(GateAction::Approve),
        environments: Vec::new(),
        when: None,
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
        terminal_tools: BTreeMap::from([(ToolName::new("mark_done"), done)]),
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
            rules: vec![gated],
            confidence_below: None,
            approval: ApprovalRule { expires: Duration::from_mins(30), min: 1, not_requester: true },
            digest: Digest::of(b"gates"),
        },
        retry: RetryPolicy { max: 2, transient: false, low_confidence_below: None },
        limits: Limits::default(),
    }
}
