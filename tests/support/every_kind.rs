//! A session whose log holds every kind of event, in the order of a life; fixed in every byte.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use provost_agents::StandardRoles;
use provost_domain::citation::OlderResults;
use provost_domain::command::{Ask, Command};
use provost_domain::decide::{self, Facts, InputDigests};
use provost_domain::event::{
    AgentFailed, AgentFinished, ApprovalAnswered, ApprovalDecided, ApprovalExpired, ApprovalExtended,
    ApprovalRequested, ApprovalStale, AssignmentIssued, AssignmentRedispatched, CallProbed, CallReissued,
    CaseAcknowledged, CatalogueChanged, ClaimRaised, ClaimRefused, ConfidenceEmitted, ConfidenceMismatched, Event,
    EventBody, FieldsPatched, FindingRecorded, GateFired, LimitReached, MeasureRead, ModelDeferred, ModelFailed,
    ModelReplied, ModelRequested, NoteAdded, OperatorAsked, OperatorSpoke, OutcomeSettled, OutcomeUnknown,
    ProbeRequested, RepairRequested, RetryStarted, RouteDecided, SessionCreated, SignalReceived, ToolDeferred,
    ToolIntended, ToolRefused, ToolReturned, WatchPolled,
};
use provost_domain::failure::ModelFailure;
use provost_domain::ids::{CmdId, Digest, Fence, Handle, Owner, Seq, SessionId};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::model::{ModelOrigin, ModelReply, ModelRequest};
use provost_domain::origin::CaseOrigin;
use provost_domain::pack::Pack;
use provost_domain::port::{Append, ApprovalChange, Models, NewSession, SessionStore};
use provost_domain::request::Offers;
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_domain::tool::{Catalog, Content, Contents, RecordedOutcome, ToolOutcome};
use provost_store::{SqliteReads, SqliteStore};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::house::{House, Tools, person};

const START: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

/// The session's id.
pub const SESSION: SessionId = SessionId::new(uuid::Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001));

/// The session in a database of its own, which lives as long as the process.
pub async fn stored() -> (SqliteReads, SessionId) {
    let folder = tempfile::tempdir().unwrap().keep();
    (write(&folder.join("provost.db")).await, SESSION)
}

/// What its log folds to.
pub fn folded() -> Session {
    life().session
}

/// Writes the session into a new database.
pub async fn write(path: &Path) -> SqliteReads {
    let store = SqliteStore::open(path).await.unwrap();
    let life = life();
    let first = &life.appends[0];
    let new = NewSession {
        id: SESSION,
        handle: life.session.handle().clone(),
        pack: life.session.pack().clone(),
        pack_digest: life.session.pack_digest(),
        title: "every kind of event".to_owned(),
        at: START,
        first: Some(Box::new(first.clone())),
    };
    store.create(new).await.unwrap();
    for append in &life.appends[1..] {
        if append.fence > Fence(1) && append.expected_seq == life.taken_over_at {
            drop(store.take_over(SESSION, &owner()).await.unwrap());
        }
        store.append(append.clone()).await.unwrap();
    }
    store.close().await;
    SqliteStore::open_read_only(path).await.unwrap()
}

/// SQL that appends to the stored session what a newer version could have written: a whole chain, a kind nobody knows.
pub fn newer() -> String {
    let life = life();
    let after = life.session.head();
    let signal = body::<SignalReceived>(json!({"source": "s", "payload": null}));
    let mut record = AppendRecord::seal(Unsealed {
        session: SESSION,
        after,
        fence: life.fence,
        cmd_id: CmdId::new("newer"),
        at: life.now,
        events: &[signal],
        salt: [1; 16],
        prev: life.head,
    })
    .unwrap();
    let payload = br#"[{"kind":"moon_landed","v":1,"data":{}}]"#;
    record.digest = Digest::of_parts(&[&[1; 16], payload]);
    let header = &record.header;
    let hash = Digest::of_parts(&[
        record.prev.as_bytes(),
        header.session.uuid().as_bytes(),
        &header.first_seq.0.to_be_bytes(),
        &header.last_seq.0.to_be_bytes(),
        &header.fence.0.to_be_bytes(),
        header.cmd_id.as_str().as_bytes(),
        &header.at.micros().to_be_bytes(),
        header.kinds.as_bytes(),
        record.digest.as_bytes(),
    ]);
    let (first, last, fence, at) = (header.first_seq, header.last_seq, header.fence, header.at.micros());
    format!(
        "INSERT INTO appends (sid, first_seq, last_seq, fence, cmd_id, at, kinds, payload, salt, digest, prev, hash) \
         VALUES (1, {first}, {last}, {fence}, 'newer', {at}, '{}', CAST('{}' AS BLOB), x'{}', x'{}', x'{}', x'{hash}'); \
         UPDATE sessions SET head_seq = {last}, head_hash = x'{hash}' WHERE sid = 1",
        header.kinds,
        String::from_utf8_lossy(payload),
        "01".repeat(16),
        record.digest,
        record.prev,
    )
}

fn owner() -> Owner {
    Owner::new("fixture")
}

/// The one model of the fixture. Its questions are the same whatever agents are told.
#[derive(Debug)]
struct FixtureModel;

impl Models for FixtureModel {
    fn origin(&self, _: &str) -> Result<ModelOrigin, ModelFailure> {
        Ok(ModelOrigin { server: "https://models.example/v1".to_owned(), model: "big-1".to_owned() })
    }

    fn body(&self, _: &ModelRequest) -> Result<Vec<u8>, ModelFailure> {
        Ok(b"the question of the fixture".to_vec())
    }
}

fn inputs() -> InputDigests {
    InputDigests { catalogue: Digest::of(b"the tools of the fixture"), roles: Digest::of(b"its roles") }
}

struct Life {
    session: Session,
    appends: Vec<Append>,
    head: Digest,
    fence: Fence,
    taken_over_at: Seq,
    now: Timestamp,
    pack: Pack,
    catalog: Catalog,
}

fn body<T: DeserializeOwned + Into<EventBody>>(data: Value) -> EventBody {
    serde_json::from_value::<T>(data).unwrap().into()
}

fn outcome(call: &str, outcome: ToolOutcome) -> (EventBody, Vec<Content>) {
    let (outcome, content) = RecordedOutcome::of(outcome);
    (ToolReturned { call: call.into(), outcome }.into(), content.into_iter().collect())
}

fn life() -> Life {
    let pack = crate::pack::pack();
    let created = SessionCreated {
        session: SESSION,
        handle: Handle::new("CASE-20261121-0001"),
        pack: pack.name.clone(),
        pack_version: pack.version,
        pack_digest: Digest::of(b"the pack of the fixture"),
        fields: House::fields("staging").into(),
        parent: Some(SessionId::new(uuid::Uuid::from_u128(9))),
        by: person("opener"),
        catalogue_digest: Some(inputs().catalogue),
        roles_digest: Some(inputs().roles),
        origin: CaseOrigin::default(),
    };
    let first = decide::create(created);
    let event = Event { seq: Seq(1), at: START, fence: Fence(1), body: first.clone() };
    let session = Session::create(&event).unwrap();
    let catalog = provost_engine::ToolGateway::new(Tools::new().all()).catalog();
    let (head, fence, now, taken_over_at) = (Digest::default(), Fence(1), START, Seq(0));
    let mut life = Life { session, appends: Vec::new(), head, fence, taken_over_at, now, pack, catalog };
    life.seal(Seq(0), &[first], Vec::new());
    life.command("opener", Ask::Start);
    life.first_turn();
    life.approvals();
    life.takeover();
    life.claims();
    life.ends();
    life.command("boss", Ask::Stop { reason: "enough".to_owned() });
    if let Some(last) = life.appends.last_mut() {
        last.release = true;
    }
    life
}

impl Life {
    /// One append of these events, each of which must fit.
    fn append(&mut self, bodies: &[EventBody], contents: Vec<Content>) {
        self.now = self.now.plus(Duration::from_millis(1500));
        let after = self.session.head();
        for (body, seq) in bodies.iter().zip(after.0 + 1..) {
            let event = Event { seq: Seq(seq), at: self.now, fence: self.fence, body: body.clone() };
            self.session.apply(&event).unwrap();
        }
        self.seal(after, bodies, contents);
    }

    fn seal(&mut self, after: Seq, bodies: &[EventBody], contents: Vec<Content>) {
        let number = u8::try_from(self.appends.len()).unwrap();
        let record = AppendRecord::seal(Unsealed {
            session: SESSION,
            after,
            fence: self.fence,
            cmd_id: CmdId::new(format!("{}.{number}", self.fence)),
            at: self.now,
            events: bodies,
            salt: [number; 16],
            prev: self.head,
        })
        .unwrap();
        self.head = record.hash;
        self.appends.push(Append {
            session: SESSION,
            fence: self.fence,
            owner: owner(),
            expected_seq: after,
            record: Some(record),
            status: self.session.status().clone(),
            ended: self.session.status().is_end(),
            release: false,
            snapshot: None,
            contents,
            approvals: ApprovalChange::of(SESSION, self.now, bodies),
            claims: provost_domain::port::ClaimChanges::default(),
            acks: Vec::new(),
            progress: true,
            at: self.now,
        });
    }

    fn command(&mut self, by: &str, ask: Ask) {
        let command = Command { by: person(by), if_version: None, ask };
        let (offers, contents) = (Offers::default(), Contents::default());
        let facts = Facts {
            now: self.now,
            fence: self.fence,
            since: START,
            pack: &self.pack,
            catalog: &self.catalog,
            older: &OlderResults::new(),
            roles: &StandardRoles,
            inputs: inputs(),
            models: &FixtureModel,
            offers: &offers,
            contents: &contents,
            outages: provost_domain::outage::OutageBudgets::NONE,
            obstacles: provost_domain::projection::Obstacles::NONE,
        };
        let verdict = decide::command(&self.session, &command, &facts).unwrap();
        self.append(&verdict.events, verdict.contents);
    }

    fn first_turn(&mut self) {
        let call = |tool: &str, args: Value| json!({"tool": tool, "args": {"json": args}});
        let calls = vec![
            call("read__gauge", json!({"window": "5m"})),
            call("read__gauge", json!({"window": "1h"})),
            json!({"tool": "nonsense", "args": {"broken": "{"}}),
            call("act__unsafe", json!({"n": 1})),
            call("act__safe", json!({"n": 2})),
            call("act__idempotent", json!({"n": 3})),
            call("set_fields", json!({"service": "till"})),
            call("record_cause", json!({"cause": "a leak"})),
            call("mark_resolved", json!({"summary": "fixed", "confidence": 0.9, "rationale": "r"})),
            call("act__probe", json!({"n": 4})),
        ];
        let usage = json!({"input": 1200, "cached": 200, "output": 300, "cost_micro_usd": 4200});
        let sealed = json!({"reasoning": "x".repeat(5000)}).to_string();
        let opaque = json!([
            {"place": {"message": {"key": "reasoning_content"}}, "json": {"inline": "\"a gauge first\""}},
            {"place": {"call": {"call": 0, "key": "extra_content"}}, "json": {"inline": sealed}},
        ]);
        let reply = json!({
            "text": "I look first.", "calls": calls, "usage": usage, "model": "big-1-20261101", "finish": "tool_calls",
            "opaque": opaque,
        });
        let (reply, contents) = serde_json::from_value::<ModelReply>(reply).unwrap().split();
        let limited = json!({"kind": "rate_limited", "retry_after_ms": 2000});
        let deferred = json!({
            "assignment": 1, "round": 1, "failure": limited, "attempt": 1, "waiting_since": START,
            "next_at": START.plus(Duration::from_secs(2)), "budget_ends_at": START.plus(Duration::from_mins(20)),
        });
        self.append(&[body::<ModelDeferred>(deferred)], Vec::new());
        self.append(&[body::<ModelFailed>(json!({"assignment": 1, "round": 1, "failure": limited}))], Vec::new());
        let cause = "the worker was lost";
        let deadline = START.plus(Duration::from_mins(5));
        self.append(
            &[
                body::<AssignmentRedispatched>(json!({"assignment": 1, "cause": cause, "deadline_at": deadline})),
                body::<ModelRequested>(json!({
                    "assignment": 1, "round": 1, "reserved": 4096, "server": "https://models.example/v1",
                    "model": "big-1", "body_sha256": Digest::of(b"the question of the fixture"),
                })),
            ],
            Vec::new(),
        );
        self.append(&[body::<ModelReplied>(json!({"assignment": 1, "round": 1, "reply": reply}))], contents);
        let intent = |call: &str, args: Value| {
            body::<ToolIntended>(json!({"call": call, "tool": "read:gauge", "args": args, "effect": "read"}))
        };
        let small = outcome("1.1.0", ToolOutcome::Ok { content: json!({"level": 0.25, "unit": "ratio"}) });
        let lines: Vec<String> = (0..400).map(|n| format!("line {n}")).collect();
        let large = outcome("1.1.1", ToolOutcome::Truncated { content: json!(lines), total_bytes: 90_000 });
        self.append(&[intent("1.1.0", json!({"window": "5m"})), intent("1.1.1", json!({"window": "1h"}))], Vec::new());
        self.append(&[small.0, large.0], large.1);
        let unknown = json!({"kind": "unknown_tool", "offered": ["read__gauge", "finish_turn"]});
        self.append(
            &[body::<ToolRefused>(json!({"call": "1.1.2", "tool": "nonsense", "refusal": unknown}))],
            Vec::new(),
        );
    }

    fn ask(&self, approval: &str, call: &str, tool: &str, args: &Value) -> EventBody {
        body::<ApprovalRequested>(json!({
            "approval": approval, "call": call, "tool": tool, "args": args, "args_hash": Digest::of_json(args),
            "policy_digest": Digest::of(b"policy"), "reason": "high_risk_tool", "min": 2, "not_requester": true,
            "injected": ["environment"], "overridden": [{"argument": "environment", "model_value": "moon"}],
            "dropped": ["extra"], "expires_at": self.now.plus(Duration::from_mins(30)),
        }))
    }

    /// One that is edited and then used, in doubt and settled; one that expires.
    fn approvals(&mut self) {
        let (first, edited) = (json!({"n": 1, "environment": "staging"}), json!({"n": 5, "environment": "staging"}));
        let gate = json!({"call": "1.1.3", "action": "approve", "reason": "high_risk_tool"});
        let asked = self.ask("apr_1", "1.1.3", "act:unsafe", &first);
        let other = self.ask("apr_2", "1.1.4", "act:safe", &json!({"n": 2}));
        self.append(&[body::<GateFired>(gate), asked, other], Vec::new());
        let longer = json!({
            "approval": "apr_2", "call": "1.1.4", "expires_at": self.now.plus(Duration::from_mins(40)),
        });
        self.append(&[body::<ApprovalExtended>(longer)], Vec::new());
        self.append(&[body::<ApprovalAnswered>(json!({"approval": "apr_1", "by": "user:ann"}))], Vec::new());
        let decision = json!({"decision": "edited", "args": edited, "args_hash": Digest::of_json(&edited)});
        let decided = json!({"approval": "apr_1", "call": "1.1.3", "by": "user:bob", "decision": decision});
        let intent = json!({
            "call": "1.1.3", "tool": "act:unsafe", "args": edited, "effect": "unsafe", "injected": ["environment"],
            "overridden": [{"argument": "environment", "model_value": "moon"}], "dropped": ["extra"], "approval": "apr_1",
        });
        self.append(&[body::<ApprovalDecided>(decided), body::<ToolIntended>(intent)], Vec::new());
        self.append(&[body::<ApprovalExpired>(json!({"approval": "apr_2", "call": "1.1.4"}))], Vec::new());
        let doubt = json!({"call": "1.1.3", "cause": "the answer was lost"});
        self.append(&[body::<OutcomeUnknown>(doubt)], Vec::new());
        let settlement = json!({"settlement": "happened", "note": "seen on the board"});
        let settled = json!({"call": "1.1.3", "by": "user:ann", "settlement": settlement});
        self.append(&[body::<OutcomeSettled>(settled)], Vec::new());
        self.stale_approval();
    }

    /// One that became stale, was asked anew, and is not used.
    fn stale_approval(&mut self) {
        let args = json!({"n": 3});
        let asked = self.ask("apr_3", "1.1.5", "act:idempotent", &args);
        self.append(&[asked], Vec::new());
        let why = json!({"why": "acted", "session": SessionId::new(uuid::Uuid::from_u128(9)), "at": START});
        let stale = json!({"approval": "apr_3", "call": "1.1.5", "by": "user:bob", "why": why});
        let mut anew = self.ask("apr_4", "1.1.5", "act:idempotent", &args);
        if let EventBody::ApprovalRequested(anew) = &mut anew {
            anew.replaces = Some("apr_3".into());
        }
        self.append(&[body::<ApprovalStale>(stale), anew], Vec::new());
        let decided =
            json!({"approval": "apr_4", "call": "1.1.5", "by": "user:bob", "decision": {"decision": "approved"}});
        self.append(&[body::<ApprovalDecided>(decided)], Vec::new());
    }

    /// A call that another incarnation makes again, and one that it asks about.
    fn takeover(&mut self) {
        let intent = |call: &str, tool: &str, n: u32, effect: &str| {
            body::<ToolIntended>(json!({"call": call, "tool": tool, "args": {"n": n}, "effect": effect}))
        };
        let safe = intent("1.1.5", "act:idempotent", 3, "idempotent");
        self.append(&[safe, intent("1.1.9", "act:probe", 4, "probe")], Vec::new());
        self.fence = self.fence.next();
        self.taken_over_at = self.session.head();
        let asked = json!({"call": "1.1.9", "cause": "the process ended while this call was being made"});
        let changed = json!({
            "catalogue_digest": Digest::of(b"other tools"), "roles_digest": inputs().roles,
            "catalogue_before": inputs().catalogue, "roles_before": inputs().roles,
        });
        self.append(
            &[
                body::<CatalogueChanged>(changed),
                body::<CallReissued>(json!({"call": "1.1.5"})),
                body::<ProbeRequested>(asked),
            ],
            Vec::new(),
        );
        let found = outcome("1.1.9", ToolOutcome::Ok { content: json!({"released": true}) });
        let probed = json!({"call": "1.1.9", "finding": {"finding": "happened"}});
        self.append(&[body::<CallProbed>(probed), found.0], found.1);
        let failure =
            json!({"kind": "transient", "happened": "no", "detail": "refused", "exit": 1, "timeout_ms": 5000});
        let deferred = json!({
            "call": "1.1.5", "failure": failure, "attempt": 1, "waiting_since": self.now,
            "next_at": self.now.plus(Duration::from_secs(1)), "budget_ends_at": self.now.plus(Duration::from_mins(20)),
        });
        let again = body::<CallReissued>(json!({"call": "1.1.5"}));
        self.append(&[body::<ToolDeferred>(deferred), again], Vec::new());
        let failed = outcome("1.1.5", ToolOutcome::Failed { failure: serde_json::from_value(failure).unwrap() });
        self.append(&[failed.0], failed.1);
    }

    fn claims(&mut self) {
        let claim = json!({"summary": "fixed", "confidence": 0.9, "rationale": "r"});
        let raised = json!({"call": "1.1.8", "by": "agent:first", "tool": "mark_resolved", "args": claim});
        let refusal = json!({"kind": "unmet", "agent": "gauge", "wants": "recovered", "has": null});
        let refused = json!({"call": "1.1.8", "by": "agent:first", "tool": "mark_resolved", "refusal": refusal});
        let found = json!({"call": "1.1.7", "tool": "record_cause", "finding": {"cause": "a leak"}});
        self.append(
            &[
                body::<FieldsPatched>(json!({"call": "1.1.6", "patch": {"service": "till"}})),
                body::<FindingRecorded>(found),
                body::<ConfidenceMismatched>(json!({"call": "1.1.8", "argument": 0.9, "envelope": 0.4})),
                body::<ClaimRaised>(raised),
            ],
            Vec::new(),
        );
        self.append(&[body::<ClaimRefused>(refused)], Vec::new());
        let problem = "Your reply could not be read as the end of your turn.";
        self.append(&[body::<RepairRequested>(json!({"assignment": 1, "problem": problem}))], Vec::new());
    }

    fn ends(&mut self) {
        let envelope = json!({
            "content": "seen", "confidence": 0.85, "rationale": "r", "signal": "close",
            "report": {"real": true, "scope": "the shop"},
        });
        let finished = json!({"assignment": 1, "agent": "first", "envelope": envelope, "evidence": [10, 11]});
        let emitted = json!({"assignment": 1, "confidence": 0.85, "source": "finish_tool"});
        let route = json!({"from": "first", "signal": "close", "matched": true, "to": {"agent": "closer"}});
        let asked = json!({
            "from": "first", "target": {"agent": "closer"}, "confidence": 0.85, "threshold": 0.9, "summary": "seen",
        });
        self.append(
            &[
                body::<ConfidenceEmitted>(emitted),
                body::<AgentFinished>(finished),
                body::<RouteDecided>(route),
                body::<OperatorAsked>(asked),
            ],
            Vec::new(),
        );
        self.append(&[body::<OperatorSpoke>(json!({"by": "user:ann", "text": "go on"}))], Vec::new());
        let issued = |n: u64, agent: &str, role: &str, work: &str| {
            let deadline = self.now.plus(Duration::from_mins(10));
            body::<AssignmentIssued>(json!({
                "assignment": n, "agent": agent, "role": role, "work": work, "briefing": "watch it", "deadline_at": deadline,
            }))
        };
        let gauge = issued(2, "gauge", "watcher", "watching");
        let closer = issued(3, "closer", "resolution", "asking");
        let polled = json!({"assignment": 2, "met": false, "streak": 0, "next_at": null});
        let failure = json!({"cause": "worker_lost", "detail": "gone"});
        let failed = json!({"assignment": 2, "agent": "gauge", "failure": failure});
        let read = json!({"assignment": 2, "measure": "errors", "time": "before", "value": 0.25});
        let read = body::<MeasureRead>(read);
        self.append(&[gauge, read, body::<WatchPolled>(polled), body::<AgentFailed>(failed)], Vec::new());
        let retry = json!({"by": "runtime", "count": 1, "reason": "auto_retry", "cmd_id": "c-1"});
        let signal = json!({"source": "board", "payload": Arc::new(json!({"light": "red"}))});
        self.append(
            &[
                body::<RetryStarted>(retry),
                closer,
                body::<SignalReceived>(signal),
                body::<NoteAdded>(json!({"by": "user:ann", "text": "the board was right"})),
                body::<CaseAcknowledged>(json!({"by": "user:ann"})),
                body::<LimitReached>(json!({"limit": "model_calls", "bound": 12, "assignment": 3})),
            ],
            Vec::new(),
        );
    }
}
