//! A person who approves with other arguments, tells the truth, tries again, and stops the session in the end. What they
//! were not answered they send again under the same id.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use provost_domain::command::{Answer, Ask, Command};
use provost_domain::event::Settlement;
use provost_domain::ids::{CmdId, Seq, SessionId};
use provost_domain::origin::CaseOrigin;
use provost_domain::port::{CommandLog as _, Reads as _, SessionRow};
use provost_domain::session::Session;
use provost_engine::{Case, Engine, EngineError};
use provost_store::MemoryStore;
use serde_json::json;
use tokio::time::sleep;

use super::log::Log;
use super::script::{LAST, Script};
use super::world::World;
use crate::house::{House, person};

/// The pause between two looks.
const LOOK: Duration = Duration::from_millis(3);
/// The argument `n` that the operator puts in the place of the model's.
pub const EDITED: i64 = 7;

/// The operator. They outlive every process too.
#[derive(Debug)]
pub struct Operator {
    session: SessionId,
    store: Arc<MemoryStore>,
    log: Arc<Log>,
    world: Arc<World>,
    script: Arc<Script>,
    /// How often each wish was refused: a refused one is a new wish.
    refused: Mutex<BTreeMap<String, u32>>,
    acknowledged: Mutex<Vec<(CmdId, Seq)>>,
}

impl Operator {
    /// For the session that this log is of, in this store.
    pub fn new(
        session: SessionId,
        store: &Arc<MemoryStore>,
        log: &Arc<Log>,
        world: &Arc<World>,
        script: &Arc<Script>,
    ) -> Self {
        let (store, log, world, script) = (Arc::clone(store), Arc::clone(log), Arc::clone(world), Arc::clone(script));
        Self { session, store, log, world, script, refused: Mutex::default(), acknowledged: Mutex::default() }
    }

    /// What was said to be done, with the version it was done at.
    pub fn acknowledged(&self) -> Vec<(CmdId, Seq)> {
        self.acknowledged.lock().unwrap().clone()
    }

    /// Leads the session to its end.
    pub async fn work(&self, engine: &Engine) {
        loop {
            match self.log.look(|session, _| session.clone()).await {
                Some(session) => {
                    let row = self.store.session(self.session).await.unwrap();
                    if self.done(&session, &row).await {
                        return;
                    }
                    if let Some((wish, ask)) = self.wish(&session, &row) {
                        self.send(engine, &wish, ask).await;
                    }
                }
                None => drop(engine.open(self.case()).await),
            }
            sleep(LOOK).await;
        }
    }

    fn case(&self) -> Case {
        Case {
            id: self.session,
            pack: "case".into(),
            fields: House::fields("staging"),
            title: "it hurts".to_owned(),
            by: person("opener"),
            parent: None,
            origin: CaseOrigin::default(),
            start: true,
        }
    }

    /// Stopped, nothing in doubt, nobody's, and nothing unread.
    async fn done(&self, session: &Session, row: &SessionRow) -> bool {
        let (unread, _) = self.store.inbox(self.session).await.unwrap();
        session.status().is_final() && session.unknown().is_empty() && row.owner.is_none() && unread.is_empty()
    }

    /// What they want next, under a name.
    fn wish(&self, session: &Session, row: &SessionRow) -> Option<(String, Ask)> {
        // An approval is answered once the session is parked: everything else while it is carried.
        if let Some(approval) = session.approvals().keys().next().cloned().filter(|_| row.owner.is_none()) {
            let args = json!({ "n": EDITED }).as_object().cloned().unwrap();
            return Some((approval.to_string(), Ask::Answer { approval, answer: Answer::Edit { args }, reason: None }));
        }
        if let Some(call) = session.unknown().keys().next().cloned() {
            let note = "looked".to_owned();
            let happened = self.world.done(&call.key(self.session)) > 0;
            let settlement = if happened { Settlement::Happened { note } } else { Settlement::DidNotHappen { note } };
            return Some((format!("settle {call}"), Ask::Settle { call, settlement }));
        }
        if session.status().is_final() {
            return None;
        }
        let last = || {
            let mut calls = session.open_calls();
            calls.any(|call| call.intent().is_some_and(|intent| intent.args.get("n") == Some(&LAST.into())))
        };
        let retried = self.script.failed() && session.retries() > 0;
        if retried && (session.status().is_end() || last()) {
            return Some(("stop".to_owned(), Ask::Stop { reason: "enough".to_owned() }));
        }
        session.status().is_end().then(|| (format!("retry {}", session.head()), Ask::Retry { force: true }))
    }

    async fn send(&self, engine: &Engine, wish: &str, ask: Ask) {
        let refused = self.refused.lock().unwrap().get(wish).copied().unwrap_or_default();
        let cmd_id = CmdId::new(format!("{wish} {refused}"));
        let command = Command { by: person("approver"), if_version: None, ask };
        match engine.command(self.session, &cmd_id, command).await {
            Ok(accepted) => self.acknowledged.lock().unwrap().push((cmd_id, accepted.version)),
            Err(EngineError::Refused(_)) => *self.refused.lock().unwrap().entry(wish.to_owned()).or_default() += 1,
            // Nobody knows: asked again under the same id.
            Err(_) => {}
        }
    }
}
