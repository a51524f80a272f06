//! A store that fails once, at a chosen write: before it, with nothing written, or after it, with all of it written.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use provost_domain::command::Command;
use provost_domain::ids::{ApprovalId, CmdId, Digest, Handle, Owner, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::port::{
    Append, Appended, ApprovalFilter, ApprovalRow, Claimed, CommandLog, CommandOutcome, InboxEntry, NewSession, Park,
    Parked, Reads, SessionFilter, SessionRow, SessionStore, StoreError, Submitted, TakenOver,
};
use provost_domain::time::Timestamp;
use provost_store::MemoryStore;

/// On which side of the write the failure lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Nothing was written.
    Before,
    /// All of it was, and nobody was told.
    After,
    /// Nothing was written, and never will be: the store says that it is damaged.
    Damaged,
}

/// One failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The port's method.
    pub at: &'static str,
    /// Which of its calls, from 1.
    pub nth: u64,
    /// Where.
    pub side: Side,
}

/// The store.
#[derive(Debug)]
pub struct FaultyStore {
    inner: MemoryStore,
    fault: Option<Fault>,
    crossed: Mutex<BTreeMap<&'static str, u64>>,
}

impl FaultyStore {
    /// Fails at that point; never with `None`.
    pub fn new(fault: Option<Fault>) -> Self {
        Self { inner: MemoryStore::new(), fault, crossed: Mutex::default() }
    }

    /// How often each method was called so far.
    pub fn crossed(&self) -> BTreeMap<&'static str, u64> {
        self.crossed.lock().unwrap().clone()
    }

    async fn through<T>(
        &self,
        at: &'static str,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let nth = {
            let mut crossed = self.crossed.lock().unwrap();
            let count = crossed.entry(at).or_default();
            *count += 1;
            *count
        };
        let side = self.fault.filter(|fault| (fault.at, fault.nth) == (at, nth)).map(|fault| fault.side);
        let failed = || StoreError::Failed { detail: format!("as told, at {at} {nth}") };
        match side {
            None => call.await,
            Some(Side::Before) => Err(failed()),
            Some(Side::Damaged) => Err(StoreError::Damaged { detail: format!("as told, at {at} {nth}") }),
            Some(Side::After) => call.await.and_then(|_| Err(failed())),
        }
    }
}

#[async_trait]
impl SessionStore for FaultyStore {
    async fn allot(&self, prefix: &str, day: &str) -> Result<Handle, StoreError> {
        self.through("allot", self.inner.allot(prefix, day)).await
    }

    async fn create(&self, new: NewSession) -> Result<(), StoreError> {
        self.through("create", self.inner.create(new)).await
    }

    async fn take_over(&self, session: SessionId, owner: &Owner) -> Result<TakenOver, StoreError> {
        self.through("take_over", self.inner.take_over(session, owner)).await
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.through("append", self.inner.append(append)).await
    }

    async fn park(&self, park: Park) -> Result<Parked, StoreError> {
        self.through("park", self.inner.park(park)).await
    }
}

#[async_trait]
impl CommandLog for FaultyStore {
    async fn submit(&self, cmd_id: &CmdId, session: SessionId, command: &Command) -> Result<Submitted, StoreError> {
        self.through("submit", self.inner.submit(cmd_id, session, command)).await
    }

    async fn outcome(&self, cmd_id: &CmdId, session: SessionId) -> Result<Option<CommandOutcome>, StoreError> {
        self.inner.outcome(cmd_id, session).await
    }

    async fn inbox(&self, session: SessionId) -> Result<(Vec<InboxEntry>, u64), StoreError> {
        self.through("inbox", self.inner.inbox(session)).await
    }

    async fn runnable(&self, owner: &Owner, now: Timestamp, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        self.inner.runnable(owner, now, limit).await
    }
}

#[async_trait]
impl Reads for FaultyStore {
    async fn session(&self, id: SessionId) -> Result<SessionRow, StoreError> {
        self.inner.session(id).await
    }

    async fn by_handle(&self, handle: &Handle) -> Result<SessionId, StoreError> {
        self.inner.by_handle(handle).await
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError> {
        self.inner.sessions(filter).await
    }

    async fn records(&self, id: SessionId, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError> {
        self.inner.records(id, after, limit).await
    }

    async fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        self.inner.content(digest).await
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<ApprovalRow>, StoreError> {
        self.inner.approvals(filter).await
    }

    async fn approval(&self, id: &ApprovalId) -> Result<ApprovalRow, StoreError> {
        self.inner.approval(id).await
    }
}
