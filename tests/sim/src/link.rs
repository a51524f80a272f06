//! A node's way to the store, and what happens on it: every call may fail before it, fail after it, be made twice, take
//! long, or be the last thing its node does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use provost_domain::command::Command;
use provost_domain::ids::{ApprovalId, CmdId, Digest, Handle, Owner, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::port::{
    Append, Appended, ApprovalFilter, ApprovalRow, Claimed, CommandLog, CommandOutcome, InboxEntry, NewSession, Park,
    Parked, Reads, SessionFilter, SessionRow, SessionStore, Snapshot, StoreError, Submitted, TakenOver,
};
use provost_domain::time::Timestamp;

use crate::dice::Dice;
use crate::gate::{Gate, Life};
use crate::ledger::Ledger;
use crate::trace::Trace;

/// How bad a seed's weather is: how many calls in a thousand meet each fault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// Nothing was done.
    pub(crate) before: u64,
    /// All was done, and nobody is told.
    pub(crate) after: u64,
    /// It was done twice; the second answer counts.
    pub(crate) twice: u64,
    /// Its node dies, before or after it.
    pub(crate) death: u64,
    /// It takes long.
    pub(crate) slow: u64,
}

/// Whether faults happen still; shared by all nodes.
#[derive(Debug, Clone)]
pub(crate) struct Storm {
    weather: Weather,
    over: Arc<AtomicBool>,
}

impl Storm {
    /// A storm of this strength.
    pub(crate) fn new(weather: Weather) -> Self {
        Self { weather, over: Arc::default() }
    }

    /// From now on nothing fails.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// Whether nothing fails any more.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

/// What one call meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Before,
    After,
    Twice,
    DeathBefore,
    DeathAfter,
}

/// Slowest call.
const SLOW_MS: u64 = 3_000;
/// An ordinary call.
const QUICK_MS: u64 = 4;

/// The way.
#[derive(Debug)]
pub(crate) struct Link {
    ledger: Arc<Ledger>,
    gate: Gate,
    storm: Storm,
    dice: Dice,
    trace: Trace,
    node: u32,
}

impl Link {
    /// Of the node of this number.
    pub(crate) fn new(ledger: Arc<Ledger>, gate: Gate, storm: Storm, (dice, trace, node): (Dice, Trace, u32)) -> Self {
        Self { ledger, gate, storm, dice, trace, node }
    }

    /// What it leads to.
    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn fault(&self) -> Option<Fault> {
        let Weather { before, after, twice, death, .. } = self.storm.weather;
        let rolled = self.dice.below(1000);
        let faults = [
            (before, Fault::Before),
            (after, Fault::After),
            (twice, Fault::Twice),
            (death, Fault::DeathBefore),
            (death, Fault::DeathAfter),
        ];
        let mut above = 0;
        let hit = faults.into_iter().find(|(share, _)| {
            above += share;
            rolled < above
        });
        hit.map(|(_, fault)| fault).filter(|_| !self.storm.is_over())
    }

    async fn travel(&self) {
        let slow = self.dice.permille(self.storm.weather.slow) && !self.storm.is_over();
        let time = self.dice.millis(if slow { SLOW_MS } else { QUICK_MS });
        if !time.is_zero() {
            tokio::time::sleep(time).await;
        }
    }

    /// Makes a call as its fault has it.
    pub(crate) async fn through<T, F>(&self, at: &str, call: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        self.gate.pass().await;
        let (fault, on_the_wire) = (self.fault(), self.dice.permille(500));
        self.travel().await;
        if !on_the_wire {
            self.gate.pass().await;
        }
        if let Some(fault) = fault {
            self.trace.line(|| format!("node {} {at}: {fault:?}", self.node));
        }
        let failed = || StoreError::Failed { detail: format!("as told, at {at}") };
        let result = match fault {
            None => call().await,
            Some(Fault::Before) => Err(failed()),
            Some(Fault::After) => call().await.and_then(|_| Err(failed())),
            Some(Fault::Twice) => {
                drop(call().await);
                call().await
            }
            Some(Fault::DeathBefore) => {
                self.gate.set(Life::Dead);
                Err(failed())
            }
            Some(Fault::DeathAfter) => {
                let result = call().await;
                self.gate.set(Life::Dead);
                result
            }
        };
        self.travel().await;
        self.gate.pass().await;
        if let Err(error) = &result {
            self.trace.line(|| format!("node {} {at}: {error}", self.node));
        }
        result
    }
}

fn lease_lost() -> StoreError {
    StoreError::Failed { detail: "this node's lease is over".to_owned() }
}

#[async_trait]
impl SessionStore for Link {
    async fn allot(&self, prefix: &str, day: &str) -> Result<Handle, StoreError> {
        self.through("allot", || self.ledger.allot(prefix, day)).await
    }

    async fn create(&self, new: NewSession) -> Result<(), StoreError> {
        let created = self.through("create", || self.ledger.create(new.clone())).await;
        if let (Ok(()), Some(record)) = (&created, new.first.as_ref().and_then(|first| first.record.as_ref())) {
            self.ledger.told_of_append(new.id, record.hash);
            self.trace.line(|| format!("node {} creates {}: {}", self.node, new.id, record.header.kinds));
        }
        created
    }

    async fn take_over(&self, session: SessionId, owner: &Owner) -> Result<TakenOver, StoreError> {
        // Whose lease is over takes nothing over; its writes under way come as they come.
        let take = || async {
            if self.gate.life() == Life::Stale {
                Err(lease_lost())
            } else {
                self.ledger.take_over(session, owner).await
            }
        };
        let taken = self.through("take_over", take).await;
        if let Ok(taken) = &taken {
            self.trace.line(|| format!("node {} takes {session} over under fence {}", self.node, taken.row.fence));
        }
        taken
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        let appended = self.through("append", || self.ledger.append(append.clone())).await;
        if let (Ok(_), Some(record)) = (&appended, &append.record) {
            self.ledger.told_of_append(append.session, record.hash);
            let (first, kinds) = (record.header.first_seq, &record.header.kinds);
            self.trace.line(|| format!("node {} appends {} {first}: {kinds}", self.node, append.session));
        }
        if appended.is_ok() {
            for ack in append.acks {
                self.ledger.told_of_command(append.session, ack.cmd_id);
            }
        }
        appended
    }

    async fn park(&self, park: Park) -> Result<Parked, StoreError> {
        let parked = self.through("park", || self.ledger.park(park.clone())).await;
        if parked == Ok(Parked::Parked) {
            self.trace.line(|| format!("node {} parks {} until {:?}", self.node, park.session, park.next_run_at));
        }
        parked
    }
}

#[async_trait]
impl CommandLog for Link {
    async fn submit(&self, cmd_id: &CmdId, session: SessionId, command: &Command) -> Result<Submitted, StoreError> {
        let submitted = self.through("submit", || self.ledger.submit(cmd_id, session, command)).await;
        if submitted.is_ok() {
            self.ledger.told_of_command(session, cmd_id.clone());
        }
        submitted
    }

    async fn outcome(&self, cmd_id: &CmdId, session: SessionId) -> Result<Option<CommandOutcome>, StoreError> {
        self.through("outcome", || self.ledger.outcome(cmd_id, session)).await
    }

    async fn inbox(&self, session: SessionId) -> Result<(Vec<InboxEntry>, u64), StoreError> {
        self.through("inbox", || self.ledger.inbox(session)).await
    }

    async fn runnable(&self, owner: &Owner, now: Timestamp, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        if self.gate.life() == Life::Stale {
            return Ok(Vec::new());
        }
        self.through("runnable", || self.ledger.runnable(owner, now, limit)).await
    }
}

#[async_trait]
impl Reads for Link {
    async fn session(&self, id: SessionId) -> Result<SessionRow, StoreError> {
        self.through("session", || self.ledger.session(id)).await
    }

    async fn by_handle(&self, handle: &Handle) -> Result<SessionId, StoreError> {
        self.through("by_handle", || self.ledger.by_handle(handle)).await
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError> {
        self.through("sessions", || self.ledger.sessions(filter)).await
    }

    async fn records(&self, id: SessionId, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError> {
        self.through("records", || self.ledger.records(id, after, limit)).await
    }

    async fn snapshot(&self, id: SessionId) -> Result<Option<Snapshot>, StoreError> {
        self.through("snapshot", || self.ledger.snapshot(id)).await
    }

    async fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        self.through("content", || self.ledger.content(digest)).await
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<ApprovalRow>, StoreError> {
        self.through("approvals", || self.ledger.approvals(filter)).await
    }

    async fn holder(
        &self,
        key: &provost_domain::claims::ClaimKey,
    ) -> Result<Option<provost_domain::projection::ClaimRow>, StoreError> {
        self.through("holder", || self.ledger.holder(key)).await
    }

    async fn approval(&self, id: &ApprovalId) -> Result<ApprovalRow, StoreError> {
        self.through("approval", || self.ledger.approval(id)).await
    }
}
