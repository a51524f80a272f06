//! One session's log held against what arrived at the backends, by rules of its own: nothing here asks the code under
//! test whether something was allowed.

use std::collections::BTreeMap;

use provost_domain::event::{ApprovalDecision, Event, EventBody, ModelReplied, ToolIntended};
use provost_domain::evidence::Evidence;
use provost_domain::ids::{AssignmentId, CallId, Seq, ToolName};
use provost_domain::model::Arguments;
use provost_domain::pack::{ClaimOutcome, Pack};
use provost_domain::principal::Principal;
use provost_domain::status::Status;
use provost_domain::terminal::StatusChanged;
use provost_domain::tool::{EffectClass, RecordedOutcome, ToolCall};
use provost_domain::work::WorkForm;
use serde_json::Value;

/// Tries of an idempotent call whose answers are lost.
const TRIES_MAX: usize = 3;

/// Fails unless the log accounts for every arrival, every call of every reply, every outcome and every limit.
pub(crate) fn check(pack: &Pack, events: &[Event], arrived: &[ToolCall]) {
    let account = Account::new(pack, events);
    account.arrivals(arrived);
    account.limits();
    for event in events {
        match &event.body {
            EventBody::ModelReplied(replied) => account.reply(replied),
            EventBody::StatusChanged(changed) => account.status(changed, event.seq),
            EventBody::FieldsPatched(patched) => {
                let keys = patched.patch.as_object().unwrap().keys();
                assert!(keys.clone().all(|key| key == "level" || key == "summary"), "{patched:?}");
            }
            _ => {}
        }
    }
}

struct Account<'a> {
    pack: &'a Pack,
    events: &'a [Event],
    environment: &'a Value,
    intents: BTreeMap<&'a CallId, &'a ToolIntended>,
    /// Calls that were refused or failed, with how.
    failed: BTreeMap<&'a CallId, String>,
    /// Calls of which the log says anything.
    mentioned: BTreeMap<&'a CallId, &'static str>,
    stopped: bool,
}

impl<'a> Account<'a> {
    fn new(pack: &'a Pack, events: &'a [Event]) -> Self {
        let Some(EventBody::SessionCreated(created)) = events.first().map(|event| &event.body) else {
            panic!("{:?}", events.first());
        };
        let mut account = Self {
            pack,
            events,
            environment: &created.fields["environment"],
            intents: BTreeMap::new(),
            failed: BTreeMap::new(),
            mentioned: BTreeMap::new(),
            stopped: false,
        };
        for event in events {
            account.note(&event.body);
        }
        account
    }

    fn note(&mut self, body: &'a EventBody) {
        let (call, failed) = match body {
            EventBody::ToolIntended(intent) => {
                assert!(self.intents.insert(&intent.call, intent).is_none(), "intended twice: {intent:?}");
                (&intent.call, None)
            }
            EventBody::ToolReturned(returned) => {
                let failed = matches!(returned.outcome, RecordedOutcome::Failed { .. });
                (&returned.call, failed.then(|| "failed".to_owned()))
            }
            EventBody::ToolRefused(refused) => (&refused.call, Some(refused.refusal.to_string())),
            EventBody::ClaimRefused(refused) => (&refused.call, Some(refused.refusal.to_string())),
            EventBody::ApprovalDecided(decided) => {
                let runs = matches!(decided.decision, ApprovalDecision::Approved | ApprovalDecision::Edited { .. });
                (&decided.call, (!runs).then(|| decided.decision.state().to_string()))
            }
            EventBody::ApprovalRequested(asked) => (&asked.call, None),
            EventBody::ClaimRaised(raised) => (&raised.call, None),
            EventBody::FindingRecorded(found) => (&found.call, None),
            EventBody::FieldsPatched(patched) => (&patched.call, None),
            EventBody::StopRequested(_) => return self.stopped = true,
            _ => return,
        };
        self.mentioned.insert(call, body.kind());
        if let Some(how) = failed {
            self.failed.insert(call, how);
        }
    }

    /// Each arrival is the intent's, byte for byte, with nothing out of roster, and no more often than its effect allows.
    fn arrivals(&self, arrived: &[ToolCall]) {
        let mut times: BTreeMap<&CallId, usize> = BTreeMap::new();
        for call in arrived {
            let Some(intent) = self.intents.get(&call.call) else { panic!("without an intent: {call:?}") };
            assert_eq!((&call.tool, &call.args), (&intent.tool, &intent.args));
            assert_eq!(call.args.get("environment"), Some(self.environment), "{call:?}");
            assert!(call.args.get("team").is_none_or(|team| self.has("teams", team)), "{call:?}");
            *times.entry(&call.call).or_default() += 1;
        }
        for (call, times) in times {
            let most = if self.intents[call].effect == EffectClass::Idempotent { TRIES_MAX } else { 1 };
            assert!(times <= most, "{call} arrived {times} times");
        }
        // Every effect of this pack but the low ones is somebody's decision.
        for intent in self.intents.values().filter(|intent| intent.tool == ToolName::new("act:unsafe")) {
            assert!(intent.approval.is_some(), "{intent:?}");
        }
    }

    fn has(&self, roster: &str, value: &Value) -> bool {
        let allowed = self.pack.rosters.get(roster).unwrap();
        value.as_str().is_some_and(|value| allowed.iter().any(|allowed| allowed == value))
    }

    /// Each call of a reply came to something that the log says, and what may not be done was refused.
    fn reply(&self, replied: &ModelReplied) {
        let agent = &self.pack.agents[&self.issued(replied.assignment).0];
        for (index, call) in replied.reply.calls.iter().enumerate() {
            let id = CallId::at(replied.assignment, replied.round, index);
            let own = agent.tools.iter().find(|name| name.wire() == call.tool);
            let forbidden = match (&*call.args, own) {
                (_, None) if call.tool != "finish_turn" => Some("an unknown tool"),
                (Arguments::Broken(_), _) => Some("broken arguments"),
                (Arguments::Json(args), Some(own)) => self.forbidden(own, args),
                (Arguments::Json(_), None) => None,
            };
            if let Some(what) = forbidden {
                assert!(self.failed.contains_key(&id) || self.stopped, "{what} was not refused: {id} {call:?}");
                assert!(!self.intents.contains_key(&id), "{what} was intended: {id} {call:?}");
            }
            let known = self.mentioned.contains_key(&id) || call.tool == "finish_turn" || self.closed_by(&id);
            assert!(known || self.stopped, "the log does not say what became of {id} {call:?}");
        }
    }

    fn forbidden(&self, tool: &ToolName, args: &Value) -> Option<&'static str> {
        let strange_team = args.get("team").is_some_and(|team| !team.is_null() && !self.has("teams", team));
        let declares_team = !["mark_resolved", "update_case", "note_finding"].contains(&tool.as_str());
        let keys = || args.as_object().into_iter().flat_map(|args| args.keys());
        if strange_team && declares_team {
            Some("a team out of roster")
        } else if tool.as_str() == "update_case" && keys().any(|key| key != "level" && key != "summary") {
            Some("a patch of more than its fields")
        } else {
            None
        }
    }

    /// The agent and role of an assignment.
    fn issued(&self, assignment: AssignmentId) -> (provost_domain::ids::AgentName, WorkForm) {
        let issued = self.events.iter().find_map(|event| match &event.body {
            EventBody::AssignmentIssued(issued) if issued.assignment == assignment => Some(issued),
            _ => None,
        });
        let issued = issued.unwrap();
        (issued.agent.clone(), issued.work)
    }

    /// Whether this call is the claim that closed the session.
    fn closed_by(&self, id: &CallId) -> bool {
        self.events.iter().any(|event| match &event.body {
            EventBody::StatusChanged(changed) if matches!(changed.to_status(), Status::Outcome(_)) => {
                self.claim(changed, event.seq).0 == *id
            }
            _ => false,
        })
    }

    /// The call that claimed an outcome: the only one of its kind in the last reply before.
    fn claim(&self, changed: &StatusChanged, at: Seq) -> (CallId, &'a Value) {
        let before = self.events.iter().rev().skip_while(|event| event.seq >= at);
        let replied = before.filter_map(|event| match &event.body {
            EventBody::ModelReplied(replied) => Some(replied),
            _ => None,
        });
        let Some(replied) = replied.take(1).next() else { panic!("no reply before {changed:?}") };
        assert_eq!(changed.by(), &Principal::Agent(self.issued(replied.assignment).0.clone()));
        let claims = |tool: &str| {
            let outcome = ClaimOutcome::Fixed(changed.to_status().as_str().to_owned());
            let tools = self.pack.terminal_tools.iter();
            tools.filter(|(name, _)| name.wire() == tool).any(|(_, tool)| tool.outcome == outcome)
        };
        let mut found = replied.reply.calls.iter().enumerate().filter(|(_, call)| claims(&call.tool));
        let (Some((index, call)), None) = (found.next(), found.next()) else { panic!("not one claim: {replied:?}") };
        let Arguments::Json(args) = &*call.args else { panic!("broken and yet verified: {call:?}") };
        for (other, call) in replied.reply.calls.iter().enumerate() {
            let id = CallId::at(replied.assignment, replied.round, other);
            assert!(!self.failed.contains_key(&id), "{call:?} failed beside {changed:?}");
        }
        (CallId::at(replied.assignment, replied.round, index), args)
    }

    /// No outcome without a claim whose evidence, team and effect are real.
    fn status(&self, changed: &StatusChanged, at: Seq) {
        let known = self.pack.outcomes.contains_key(changed.to_status().as_str());
        assert_eq!(known, matches!(changed.to_status(), Status::Outcome(_)), "{changed:?}");
        if !known {
            return;
        }
        assert_eq!(at, self.events.last().unwrap().seq, "something follows an outcome");
        let (id, args) = self.claim(changed, at);
        let returned = |seq: Seq, of: Option<&CallId>| {
            self.events.iter().any(|event| match &event.body {
                EventBody::ToolReturned(returned) => {
                    event.seq == seq && seq < at && of.is_none_or(|call| *call == returned.call)
                }
                _ => false,
            })
        };
        if changed.to_status().as_str() == "resolved" {
            let cited = args["evidence"].as_array().unwrap();
            let own = self.session();
            assert!(!cited.is_empty());
            for cited in cited {
                let evidence = Evidence::parse(cited.as_str().unwrap()).unwrap();
                assert!(evidence.session == own && returned(evidence.seq, None), "{evidence} is made up");
            }
        } else {
            let effect = CallId::new(format!("{id}.effect"));
            assert!(self.has("teams", &args["team"]), "{args}");
            assert!(self.events.iter().any(|event| returned(event.seq, Some(&effect))), "nobody was told");
            assert!(!self.failed.contains_key(&effect), "telling failed");
        }
    }

    fn session(&self) -> provost_domain::ids::SessionId {
        match self.events.first().map(|event| &event.body) {
            Some(EventBody::SessionCreated(created)) => created.session,
            other => panic!("{other:?}"),
        }
    }

    /// Rounds and calls of each assignment, and assignments of the session.
    fn limits(&self) {
        let limits = self.pack.limits;
        let mut rounds: BTreeMap<AssignmentId, u32> = BTreeMap::new();
        for event in self.events {
            match &event.body {
                EventBody::ModelRequested(asked) => *rounds.entry(asked.assignment).or_default() += 1,
                EventBody::AssignmentIssued(issued) => {
                    assert!(issued.assignment.0 <= u64::from(limits.assignments_per_session), "{issued:?}");
                    let prefix = format!("{}.", issued.assignment);
                    let own = self.intents.keys().filter(|call| call.as_str().starts_with(&prefix)).count();
                    // A claim's effect is not among the calls that are counted.
                    let most = limits.tool_calls_per_turn as usize + 1;
                    assert!(own <= most || issued.work == WorkForm::Watching, "{own} calls in {issued:?}");
                }
                _ => {}
            }
        }
        assert!(rounds.values().all(|rounds| *rounds <= limits.model_calls_per_turn), "{rounds:?}");
    }
}
