//! Authority: a model that tries everything never reaches an outcome it may not, nor a backend with a value it may not use.
//!
//! Two forms. Here the rules are driven directly, without actors: what a worker would report is fed to `decide`, what is
//! owed is answered at once, and every intent is what would have reached a backend. Cheap, so it may also mix in what
//! model and people cannot bring about at will: takeovers at any instant, time passing, retries, stops. It proves the
//! rules, the live fold equal to the recovered one, and that every history is valid. `arrivals` sends the same replies
//! through an engine and counts at the backends: it proves that nothing gets past the rules.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{RngSeed, TestRunner};
use provost_agents::StandardRoles;
use provost_domain::command::{Answer, Ask, Command, Report};
use provost_domain::decide::{self, Facts};
use provost_domain::event::{Event, EventBody, SessionCreated};
use provost_domain::evidence::Evidence;
use provost_domain::failure::{FailureKind, ModelFailure};
use provost_domain::ids::{Digest, Fence, Handle, Seq, SessionId};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::model::ModelReply;
use provost_domain::origin::CaseOrigin;
use provost_domain::principal::Principal;
use provost_domain::session::{Owed, Session, owed};
use provost_domain::time::Timestamp;
use provost_domain::tool::{Happened, ProbeAnswer, ToolFailure, ToolOutcome};
use provost_domain::{invariant, request};
use provost_tests::facts::DecisionDesk;
use provost_tests::house::{House, Tools, person};
use provost_tests::pack;
use serde_json::{Value, json};

use crate::arrivals::LONG;
use crate::hostile::{self, Citable, Reply};

/// The same cases in every run, so that a red run can be repeated; change it by hand to look elsewhere.
const SEED: RngSeed = RngSeed::Fixed(20_261_120);

/// One thing a hostile model, a flaky backend or a person does next.
#[derive(Debug, Clone)]
enum Move {
    Reply(Reply),
    ModelFails,
    ToolsWork(Value),
    ToolsFail(bool),
    Answer(u8),
    Stop,
    Retry,
    Takeover,
    TimePasses,
}

/// A world without actors.
struct World {
    desk: DecisionDesk,
    session: Session,
    events: Vec<Event>,
    fence: Fence,
    now: Timestamp,
}

impl World {
    fn new() -> Self {
        let pack = pack::pack();
        let catalog = provost_engine::ToolGateway::new(Tools::new().all()).catalog();
        let created = SessionCreated {
            session: SessionId::new(uuid::Uuid::from_u128(7)),
            handle: Handle::new("CASE-1"),
            pack: pack.name.clone(),
            pack_version: pack.version,
            pack_digest: pack.digest,
            fields: House::fields("staging").into(),
            parent: None,
            by: person("opener"),
            catalogue_digest: None,
            roles_digest: None,
            origin: CaseOrigin::default(),
        };
        let now = Timestamp::from_micros(1_000_000);
        let first = Event { seq: Seq(1), at: now, fence: Fence(1), body: decide::create(created) };
        let session = Session::create(&first).unwrap();
        let mut world =
            Self { desk: DecisionDesk::new(pack, catalog), session, events: vec![first], fence: Fence(1), now };
        world.command("opener", Ask::Start);
        world
    }

    fn adopt(&mut self, bodies: Vec<EventBody>) {
        for body in bodies {
            let seq = Seq(self.events.len() as u64 + 1);
            let event = Event { seq, at: self.now, fence: self.fence, body };
            self.session.apply(&event).unwrap();
            self.events.push(event);
        }
    }

    fn command(&mut self, by: &str, ask: Ask) {
        let command = Command { by: person(by), if_version: None, ask };
        let verdict = decide::command(&self.session, &command, &facts(self));
        if let Ok(verdict) = verdict {
            let after = verdict.after.clone();
            self.adopt(verdict.events);
            assert_eq!(self.session, after, "the live fold is the recovered fold");
        }
    }

    fn report(&mut self, report: Report) {
        let verdict = decide::report(self.session.clone(), report, &facts(self));
        self.adopt(verdict.events);
    }

    fn play(&mut self, step: &Move) {
        self.now = self.now.plus(std::time::Duration::from_millis(10));
        match step {
            Move::Reply(reply) => self.reply(Ok(reply.filled(&self.citable()))),
            Move::ModelFails => self.reply(Err(ModelFailure::Refused { detail: "no".to_owned() })),
            Move::ToolsWork(content) => self.tools(&ToolOutcome::Ok { content: content.clone() }),
            Move::ToolsFail(maybe) => self.tools(&failure(*maybe)),
            Move::Answer(kind) => {
                let Some(approval) = self.session.approvals().keys().next().cloned() else { return };
                let answer = match kind % 3 {
                    0 => Answer::Approve,
                    1 => Answer::Reject { reason: "no".to_owned() },
                    _ => Answer::Edit { args: json!({"environment": "mars", "n": 1}).as_object().cloned().unwrap() },
                };
                self.command("approver", Ask::Answer { approval, answer, reason: None });
            }
            Move::Stop => self.command("boss", Ask::Stop { reason: "enough".to_owned() }),
            Move::Retry => self.command("boss", Ask::Retry { force: true }),
            Move::Takeover => {
                self.fence = self.fence.next();
                self.report(Report::TakenOver);
            }
            Move::TimePasses => {
                self.now = self.now.plus(std::time::Duration::from_mins(5));
                self.report(Report::Tick);
            }
        }
    }

    /// What can be cited: the last tool result of this session, and one of another.
    fn citable(&self) -> Citable {
        let last = self.events.iter().rev().find(|event| matches!(event.body, EventBody::ToolReturned(_)));
        let own = self.session.id();
        let other = SessionId::new(uuid::Uuid::from_u128(8));
        let foreign = Evidence { session: other, seq: last.map_or(Seq(9), |event| event.seq) }.to_string();
        Citable { own, last: last.map(|event| Evidence { session: own, seq: event.seq }.to_string()), foreign }
    }

    fn reply(&mut self, result: Result<ModelReply, ModelFailure>) {
        let asked = owed(&self.session, self.fence).into_iter().find_map(|owed| match owed {
            Owed::AskModel { assignment, round } => Some((assignment, round)),
            Owed::Run(_) | Owed::Paused(_) | Owed::InDoubt(_) | Owed::Probe(_) | Owed::Poll { .. } => None,
        });
        if let Some((assignment, round)) = asked {
            self.report(Report::Replied { assignment, round, result });
        }
    }

    fn tools(&mut self, outcome: &ToolOutcome) {
        let reports: Vec<_> = owed(&self.session, self.fence)
            .into_iter()
            .filter_map(|owed| match owed {
                Owed::Run(call) => Some(Report::Returned { call: call.id.clone(), outcome: outcome.clone() }),
                Owed::Probe(call) => Some(Report::Probed { call: call.id.clone(), answer: said(outcome) }),
                Owed::AskModel { .. } | Owed::Paused(_) | Owed::InDoubt(_) | Owed::Poll { .. } => None,
            })
            .collect();
        for report in reports {
            self.report(report);
        }
    }

    /// Everything that must hold whatever was played.
    fn check(&self) {
        let limits = self.desk.pack.limits;
        for event in &self.events {
            if let EventBody::ToolIntended(intent) = &event.body {
                assert_eq!(intent.args.get("environment").unwrap_or(&json!("staging")), "staging", "{intent:?}");
                let team = intent.args.get("team");
                assert!(team.is_none_or(|team| team == "red" || team == "blue"), "{intent:?}");
                assert!(self.desk.catalog.contains_key(&intent.tool), "{intent:?}");
            }
            if let EventBody::StatusChanged(changed) = &event.body {
                let to = changed.to_status();
                let is_outcome = self.desk.pack.outcomes.contains_key(to.as_str());
                assert_eq!(is_outcome, matches!(to, provost_domain::status::Status::Outcome(_)));
                if to.as_str() == "resolved" {
                    self.resolved_with_evidence(event.seq);
                }
            }
        }
        assert!(self.session.works().len() <= 1, "one work at a time");
        if let Some((work, turn)) = self.session.newest_work().and_then(|work| Some((work, work.turn()?))) {
            assert!(turn.round <= limits.model_calls_per_turn && work.tool_calls <= limits.tool_calls_per_turn);
            let agent = self.desk.pack.agents.get(&work.agent).unwrap();
            let offers = request::offers(agent, &self.desk.pack, &self.desk.catalog, &StandardRoles);
            assert!(request::is_valid_history(
                &request::build(&self.session, (work, turn.clone()), agent, &offers).messages
            ));
        }
        let folded = Session::fold(&self.events).unwrap().unwrap();
        assert_eq!(folded, self.session);
        assert_eq!(invariant::check(&[self.sealed()], self.session.head(), self.sealed().hash), Vec::<String>::new());
    }

    fn resolved_with_evidence(&self, seq: Seq) {
        let before = |event: &&Event| event.seq < seq;
        assert!(self.events.iter().filter(before).any(|event| matches!(event.body, EventBody::ToolReturned(_))));
    }

    /// The log as one record. All of it under one fence, which is all the chain cares about.
    fn sealed(&self) -> AppendRecord {
        let events: Vec<EventBody> = self.events.iter().map(|event| event.body.clone()).collect();
        AppendRecord::seal(Unsealed {
            session: self.session.id(),
            after: Seq(0),
            fence: self.fence,
            cmd_id: "one".into(),
            at: self.now,
            events: &events,
            salt: [0; 16],
            prev: Digest::default(),
        })
        .unwrap()
    }
}

fn facts(world: &World) -> Facts<'_> {
    world.desk.facts(world.now, world.fence)
}

fn failure(maybe: bool) -> ToolOutcome {
    let happened = if maybe { Happened::Maybe } else { Happened::No };
    ToolOutcome::Failed {
        failure: ToolFailure {
            kind: FailureKind::Transient,
            happened,
            detail: "as played".to_owned(),
            exit: None,
            signal: None,
            timeout_ms: None,
        },
    }
}

/// What a tool that is asked about a call says, where a call would have come to this.
fn said(outcome: &ToolOutcome) -> ProbeAnswer {
    match outcome {
        ToolOutcome::Failed { failure } if failure.happened == Happened::No => ProbeAnswer::DidNotHappen,
        other => ProbeAnswer::Happened { outcome: other.clone() },
    }
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        16 => hostile::reply().prop_map(Move::Reply),
        6 => prop_oneof![Just(json!({"level": 1})), Just(json!(hostile::ORDER))].prop_map(Move::ToolsWork),
        2 => any::<bool>().prop_map(Move::ToolsFail),
        1 => Just(Move::ModelFails),
        3 => any::<u8>().prop_map(Move::Answer),
        1 => Just(Move::Stop),
        1 => Just(Move::Retry),
        2 => Just(Move::Takeover),
        1 => Just(Move::TimePasses),
    ]
}

/// About twelve moves each: more than ten thousand hostile replies, failures and answers.
#[test]
fn whatever_is_tried_the_rules_hold() {
    let config =
        ProptestConfig { cases: 1_000 * LONG, rng_seed: SEED, failure_persistence: None, ..ProptestConfig::default() };
    let played = std::cell::Cell::new(0);
    let run = TestRunner::new(config).run(&proptest::collection::vec(moves(), 1..24), |moves| {
        let mut world = World::new();
        for step in &moves {
            world.play(step);
        }
        world.check();
        played.set(played.get() + u32::try_from(moves.len()).unwrap());
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
    assert!(played.get() >= 10_000 * LONG, "only {} cases", played.get());
}

/// A generator that reaches nothing would prove nothing.
#[test]
fn the_generator_reaches_what_it_attacks() {
    let mut runner = TestRunner::deterministic();
    let strategy = proptest::collection::vec(moves(), 1..24);
    let (mut statuses, mut kinds) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    for _ in 0..500 {
        let mut world = World::new();
        for step in &strategy.new_tree(&mut runner).unwrap().current() {
            world.play(step);
        }
        statuses.insert(world.session.status().to_string());
        kinds.extend(world.events.iter().map(|event| event.body.kind()));
    }
    for status in ["resolved", "escalated", "awaiting_input", "needs_review", "error", "stopped", "in_progress"] {
        assert!(statuses.contains(status), "never {status}: {statuses:?}");
    }
    for kind in [
        "tool_refused",
        "claim_refused",
        "approval_requested",
        "outcome_unknown",
        "call_reissued",
        "probe_requested",
        "call_probed",
        "limit_reached",
    ] {
        assert!(kinds.contains(kind), "never {kind}: {kinds:?}");
    }
}

#[test]
fn a_terminal_claim_beside_a_failing_call_is_refused() {
    let mut world = World::new();
    let finish = json!({"content": "c", "confidence": 0.9, "rationale": "r", "signal": "close"});
    world.play(&Move::Reply(Reply::of(&[("finish_turn", finish)])));
    let claim = json!({"team": "red", "reason": "r", "confidence": 0.9, "rationale": "r"});
    world.play(&Move::Reply(Reply::of(&[("read__gauge", json!({})), ("mark_escalated", claim)])));
    assert_eq!(world.session.status().as_str(), "in_progress");
    world.play(&Move::ToolsFail(false));
    assert!(world.events.iter().any(|event| matches!(event.body, EventBody::ClaimRefused(_))));
    assert_eq!(world.session.status().as_str(), "in_progress");
    world.check();
}

#[test]
fn a_person_can_close_what_a_model_left_open() {
    let mut world = World::new();
    world.play(&Move::ModelFails);
    assert_eq!(world.session.status().as_str(), "error");
    let args = json!({"team": "blue", "reason": "r", "confidence": 1, "rationale": "r"});
    let ask = Ask::Claim { tool: "mark_escalated".into(), args: args.as_object().cloned().unwrap() };
    world.command("human", ask);
    world.play(&Move::ToolsWork(json!("told")));
    assert_eq!(world.session.status().as_str(), "escalated");
    let by = world.events.iter().rev().find_map(|event| match &event.body {
        EventBody::StatusChanged(changed) => Some(changed.by().clone()),
        _ => None,
    });
    assert_eq!(by, Some(Principal::user("human")));
    world.check();
}
