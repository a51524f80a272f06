//! The people of a simulation: one of them opens a session, answers what it asks, and does what people do.

use std::time::Duration;

use provost_domain::command::{Answer, Ask, Command};
use provost_domain::event::Settlement;
use provost_domain::ids::{ApprovalId, CallId, CmdId, Seq, SessionId, ToolName};
use provost_domain::origin::CaseOrigin;
use provost_domain::port::{CommandLog as _, Random as _, StoreError};
use provost_domain::session::Session;
use provost_domain::status::Status;
use provost_engine::{Case, EngineError};
use provost_tests::house::person;
use serde_json::json;
use uuid::{Builder, Uuid};

use crate::dice::Dice;
use crate::erasure::{erase, secret};
use crate::gate::Life;
use crate::world::World;

/// 2026-11-20, 00:00 UTC.
const BEGIN_MILLIS: u64 = 1_795_132_800_000;
/// How often one person does something before leaving.
const DEEDS_MAX: u64 = 24;
/// How often a command is sent again under its id.
const TRIES: u32 = 4;
/// How many deeds of a thousand, once a session has ended, are to have it erased while something is said to it.
const ERASES_WHILE_ASKING: u64 = 15;
/// The longest pause between two deeds.
const PAUSE_MS: u64 = 5_000;

/// One person and the session of that person.
#[derive(Debug)]
pub(crate) struct Someone {
    world: World,
    dice: Dice,
    id: SessionId,
}

impl Someone {
    /// Whose session has the n-th id of the world.
    pub(crate) fn new(world: World, dice: Dice, n: u64) -> Self {
        let mut chance = [0; 10];
        chance.iter_mut().zip(dice.bytes()).for_each(|(to, from)| *to = from);
        let id = SessionId::new(Builder::from_unix_timestamp_millis(BEGIN_MILLIS + n, &chance).into_uuid());
        Self { world, dice, id }
    }

    /// Opens the session and keeps it company.
    pub(crate) async fn live(self) {
        tokio::time::sleep(self.dice.millis(8_000)).await;
        if !self.open().await {
            return;
        }
        for _ in 0..self.dice.below(DEEDS_MAX) + 4 {
            tokio::time::sleep(self.dice.millis(PAUSE_MS)).await;
            let Some(session) = self.world.ledger.folded(self.id) else { return };
            if session.status().is_end() && self.dice.permille(ERASES_WHILE_ASKING) {
                // Two who do not know of each other.
                let ask = Ask::Speak { text: secret(self.id) };
                tokio::join!(biased; self.ask(&session, ask), erase(&self.world, self.id));
                continue;
            }
            if let Some(ask) = self.wish(&session) {
                self.ask(&session, ask).await;
            }
        }
    }

    async fn open(&self) -> bool {
        let environment = if self.dice.permille(500) { "staging" } else { "production" };
        let service = if self.world.is_crowded { "shop".to_owned() } else { format!("shop-{}", self.id) };
        let case = Case {
            id: self.id,
            pack: "case".into(),
            fields: json!({"summary": secret(self.id), "environment": environment, "service": service}),
            title: secret(self.id),
            by: person("opener"),
            parent: None,
            origin: CaseOrigin::default(),
            start: self.dice.permille(850),
        };
        for _ in 0..8 {
            let Some(node) = self.world.node().await else { return false };
            let opened = tokio::select! {
                biased;
                opened = node.engine.open(case.clone()) => Some(opened),
                () = node.gate.dead() => None,
            };
            self.world.trace.line(|| format!("{} opens: {opened:?}", self.id));
            let is_there = self.world.ledger.folded(self.id).is_some();
            if matches!(opened, Some(Ok(_))) && !is_there {
                self.world.trace.problem(format!("{}: opened, and not in the store", self.id));
            }
            if is_there {
                return true;
            }
            tokio::time::sleep(self.dice.millis(2_000)).await;
        }
        false
    }

    /// What comes to this person's mind when looking at the session.
    fn wish(&self, session: &Session) -> Option<Ask> {
        let dice = &self.dice;
        match dice.below(100) {
            0..2 => Some(Ask::Stop { reason: "enough".to_owned() }),
            2..8 => Some(Ask::Signal { source: "gauge".to_owned(), payload: json!({"n": dice.below(9)}) }),
            8..12 => Some(Ask::Continue),
            12..14 => Some(Ask::Claim { tool: ToolName::new("mark_escalated"), args: escalation() }),
            14..16 => Some(Ask::Answer {
                approval: ApprovalId::of(self.id, &CallId::new("1.1.1")),
                answer: Answer::Approve,
                reason: None,
            }),
            16..18 => Some(Ask::Speak { text: secret(self.id) }),
            18..78 => self.needed(session),
            _ => None,
        }
    }

    /// What the session waits for.
    fn needed(&self, session: &Session) -> Option<Ask> {
        let dice = &self.dice;
        let approvals: Vec<ApprovalId> = session.approvals().keys().cloned().collect();
        let unknown: Vec<CallId> = session.unknown().keys().cloned().collect();
        if let Some(call) = dice.pick(&unknown) {
            let note = "looked".to_owned();
            let happened = self.world.deeds.times(self.id, &call) > 0;
            let settlement = match (dice.permille(150), happened) {
                (true, _) => Settlement::GiveUp { note },
                (false, true) => Settlement::Happened { note },
                (false, false) => Settlement::DidNotHappen { note },
            };
            return Some(Ask::Settle { call, settlement });
        }
        if let Some(approval) = dice.pick(&approvals) {
            return Some(Ask::Answer { approval, answer: self.answer(), reason: None });
        }
        match session.status() {
            Status::New => Some(Ask::Start),
            Status::NeedsReview | Status::Error => Some(Ask::Retry { force: dice.permille(500) }),
            Status::AwaitingInput if session.operator().is_some() => Some(Ask::Speak { text: "go on".to_owned() }),
            Status::AwaitingInput | Status::InProgress | Status::Outcome(_) | Status::Stopped => None,
        }
    }

    fn answer(&self) -> Answer {
        match self.dice.below(10) {
            0..5 => Answer::Approve,
            5..7 => Answer::Edit { args: edit(&json!({"n": 7, "service": "shop"})) },
            7 => Answer::Edit { args: edit(&json!({"environment": "mars"})) },
            8 => Answer::Reject { reason: "no".to_owned() },
            _ => Answer::Respond { text: "done by hand".to_owned() },
        }
    }

    /// Sends it, and again under the same id while nobody says what became of it.
    async fn ask(&self, session: &Session, ask: Ask) {
        let by = if self.dice.permille(80) { person("opener") } else { person("approver") };
        let stale = Seq(session.head().0.saturating_sub(1));
        let if_version = self.dice.permille(150).then(|| if self.dice.permille(300) { stale } else { session.head() });
        let cmd_id = CmdId::new(Uuid::from_bytes(self.dice.bytes()).to_string());
        let (starts, command) = (ask.verb().starts_work(), Command { by, if_version, ask });
        for _ in 0..TRIES {
            let Some(node) = self.world.node().await else { return };
            let answer = tokio::select! {
                biased;
                answer = node.engine.command(self.id, &cmd_id, command.clone()) => Some(answer),
                () = node.gate.dead() => None,
            };
            self.world.trace.line(|| format!("{} {:?}: {answer:?}", self.id, command.ask));
            match answer {
                Some(Ok(_) | Err(EngineError::Refused(_))) => return self.must_stand(&cmd_id, starts).await,
                Some(Err(
                    EngineError::Busy(_)
                    | EngineError::SessionCapExceeded { .. }
                    | EngineError::Store(StoreError::Erased { .. }),
                )) => return,
                Some(Err(_)) | None => {}
            }
            // Somebody who gives up has not told the runtime so.
            if self.dice.permille(200) {
                return;
            }
            let stands = node.gate.life() == Life::Stands;
            tokio::time::sleep(self.dice.millis(2_000) + if stands { Duration::from_secs(1) } else { Duration::ZERO })
                .await;
        }
    }

    /// An answer is given only for what is stored.
    async fn must_stand(&self, cmd_id: &CmdId, starts: bool) {
        if starts {
            return;
        }
        let stands =
            matches!(self.world.ledger.outcome(cmd_id, self.id).await, Ok(Some(_)) | Err(StoreError::Erased { .. }));
        if !stands {
            self.world
                .trace
                .problem(format!("{}: command {cmd_id} was answered, and its outcome is not stored", self.id));
        }
    }
}

fn edit(args: &serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    args.as_object().cloned().unwrap_or_default()
}

fn escalation() -> serde_json::Map<String, serde_json::Value> {
    edit(&json!({"team": "blue", "reason": "r", "confidence": 0.9, "rationale": "r"}))
}
