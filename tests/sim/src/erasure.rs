//! Erasing closed sessions while others run: by people who ask for it in whatever state a session is, and by age.

use std::collections::BTreeMap;

use async_trait::async_trait;
use provost_domain::ids::{Digest, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::port::{
    ApprovalFilter, ApprovalRow, Clock as _, CommandLog as _, Erase, Erased, Erasure, MessageFilter, MessageRow,
    MessageState, OutboxReads as _, Prunable, Quiet, Reads as _, SessionRow, StoreError,
};
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_store::MemoryStore;
use provost_tests::house::person;

use crate::dice::Dice;
use crate::ledger::Ledger;
use crate::link::Link;
use crate::world::World;

/// Longest list asked for.
const ALL: u32 = 500;
/// The longest pause between two of the archivist's deeds.
const PAUSE_MS: u64 = 40_000;
/// The least time a session is kept by age.
const AGE_MS: u64 = 20_000;

/// Somebody who erases sessions now and then.
pub(crate) async fn archivist(world: World, dice: Dice) {
    for _ in 0..dice.below(6) {
        tokio::time::sleep(dice.millis(PAUSE_MS)).await;
        let old: Vec<_> = if dice.permille(500) {
            let before = world.clock.now().minus(dice.millis(AGE_MS));
            let quiet = world.ledger.expired(before, None, 4).await.unwrap_or_default();
            quiet.into_iter().map(|quiet| quiet.session).collect()
        } else {
            dice.pick(&world.ledger.ids()).into_iter().collect()
        };
        for id in old {
            erase(&world, id).await;
        }
    }
}

/// Somebody has a session erased.
pub(crate) async fn erase(world: &World, id: SessionId) {
    let Some(node) = world.node().await else { return };
    let by = person("archivist");
    let erased = tokio::select! {
        biased;
        erased = node.eraser.erase(id, &by, "old") => Some(erased),
        () = node.gate.dead() => None,
    };
    world.trace.line(|| format!("{id} to be erased: {erased:?}"));
    if matches!(erased, Some(Ok(_))) && !world.ledger.is_erased(id) {
        world.trace.problem(format!("{id}: said to be erased, and is not"));
    }
}

/// All that the store keeps of one session.
#[derive(Debug, PartialEq)]
struct Kept {
    row: SessionRow,
    records: Vec<AppendRecord>,
    unread: usize,
    approvals: Vec<ApprovalRow>,
    messages: Vec<MessageRow>,
}

impl Kept {
    async fn of(store: &MemoryStore, id: SessionId) -> Result<Self, StoreError> {
        let approvals =
            ApprovalFilter { session: Some(id), pending_only: false, limit: ALL, ..ApprovalFilter::default() };
        let messages = MessageFilter { session: Some(id), limit: ALL, ..MessageFilter::default() };
        Ok(Self {
            row: store.session(id).await?,
            records: store.records(id, Seq(0), u32::MAX).await?,
            unread: store.inbox(id).await?.0.len(),
            approvals: store.approvals(&approvals).await?,
            messages: store.messages(&messages).await?,
        })
    }

    async fn of_all(ledger: &Ledger) -> Result<BTreeMap<SessionId, Self>, StoreError> {
        let mut all = BTreeMap::new();
        for id in ledger.ids() {
            all.insert(id, Self::of(ledger.store(), id).await?);
        }
        Ok(all)
    }

    /// Why it may not be erased yet.
    fn unfit(&self, folded: Option<&Session>) -> Option<String> {
        let waits = |row: &MessageRow| row.state == MessageState::Waiting;
        if !self.row.ended || self.row.owner.is_some() {
            return Some(format!("it is `{}` and held by {:?}", self.row.status, self.row.owner));
        }
        if self.unread > 0 || self.messages.iter().any(waits) {
            return Some(format!("{} commands and {} notices wait", self.unread, self.messages.len()));
        }
        let doubts = folded.map_or(0, |session| session.unknown().len());
        (doubts > 0).then(|| format!("{doubts} of its calls are in doubt"))
    }

    /// What is left of it that must be gone, or gone that must be left.
    fn wrong(&self, before: &Self, tombstone: &AppendRecord) -> Option<String> {
        let emptied = |record: &AppendRecord| AppendRecord { payload: None, salt: None, ..record.clone() };
        let records: Vec<_> = before.records.iter().map(emptied).chain([tombstone.clone()]).collect();
        if self.records != records {
            return Some("its records are not the same without payload, and its tombstone".to_owned());
        }
        let blank = self.approvals.iter().all(|row| row.args.is_null() && row.args_hash == Digest::default());
        let is_whole = blank && self.approvals.len() == before.approvals.len() && self.messages.is_empty();
        (!is_whole).then(|| format!("left are {:?} and {:?}", self.approvals, self.messages))
    }
}

#[async_trait]
impl Erasure for Ledger {
    async fn erase(&self, erase: Erase) -> Result<Erased, StoreError> {
        let (id, tombstone) = (erase.session, erase.tombstone.clone());
        let mut before = Kept::of_all(self).await?;
        let erased = self.store().erase(erase).await;
        let mut after = Kept::of_all(self).await?;
        if let (Ok(Erased::Done { .. }), false) = (&erased, self.is_erased(id))
            && let (Some(before), Some(after)) = (before.remove(&id), after.remove(&id))
        {
            if let Some(problem) = before.unfit(self.folded(id).as_ref()) {
                self.problem(id, &format!("erased, and {problem}"));
            }
            if let Some(problem) = after.wrong(&before, &tombstone) {
                self.problem(id, &format!("erased, and {problem}"));
            }
            self.buried(id, &tombstone);
        }
        for (other, kept) in before {
            if after.get(&other) != Some(&kept) {
                self.problem(other, &format!("changed while {id} was to be erased: {erased:?}"));
            }
        }
        erased
    }

    async fn expired(&self, before: Timestamp, after: Option<Quiet>, limit: u32) -> Result<Vec<Quiet>, StoreError> {
        self.store().expired(before, after, limit).await
    }

    async fn prune(&self, what: Prunable, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.store().prune(what, before, limit).await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.store().scrub().await
    }
}

#[async_trait]
impl Erasure for Link {
    async fn erase(&self, erase: Erase) -> Result<Erased, StoreError> {
        self.through("erase", || self.ledger().erase(erase.clone())).await
    }

    async fn expired(&self, before: Timestamp, after: Option<Quiet>, limit: u32) -> Result<Vec<Quiet>, StoreError> {
        self.through("expired", || self.ledger().expired(before, after, limit)).await
    }

    async fn prune(&self, what: Prunable, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.through("prune", || self.ledger().prune(what, before, limit)).await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.through("scrub", || self.ledger().scrub()).await
    }
}

/// The words of erased sessions that can still be found anywhere in the store.
pub(crate) fn left_behind(world: &World) -> Vec<SessionId> {
    let gone: Vec<_> = world.ledger.ids().into_iter().filter(|id| world.ledger.is_erased(*id)).collect();
    if gone.is_empty() {
        return gone;
    }
    let all = format!("{:?}", world.ledger.store());
    let is_left = |id: &SessionId| {
        let secret = secret(*id);
        let bytes = format!("{:?}", secret.as_bytes());
        all.contains(&secret) || all.contains(bytes.trim_matches(['[', ']']))
    };
    gone.into_iter().filter(is_left).collect()
}

/// What only this session says, wherever it says something.
pub(crate) fn secret(id: SessionId) -> String {
    format!("only {}", Digest::of(id.to_string().as_bytes()).hex().chars().take(12).collect::<String>())
}
