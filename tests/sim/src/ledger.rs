//! The store as the world has it, and the book kept of it: every write is checked where it becomes true, whatever the node
//! that asked for it is told. No fault happens here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use provost_domain::command::Command;
use provost_domain::event::{ApprovalDecision, Event, EventBody, ToolIntended};
use provost_domain::ids::{ApprovalId, CallId, CmdId, Digest, Handle, Owner, Seq, SessionId, ToolName};
use provost_domain::log::AppendRecord;
use provost_domain::port::{
    Append, Appended, ApprovalFilter, ApprovalRow, Claimed, CommandLog, CommandOutcome, InboxEntry, NewSession, Park,
    Parked, Reads, SessionFilter, SessionRow, SessionStore, Snapshot, StoreError, Submitted, TakenOver,
};
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_domain::tool::EffectClass;
use provost_store::MemoryStore;
use serde_json::Value;

use crate::deeds::Deeds;
use crate::trace::Trace;
use crate::witness::NOTICE;

/// The store with its book.
#[derive(Debug)]
pub(crate) struct Ledger {
    inner: MemoryStore,
    deeds: Deeds,
    trace: Trace,
    book: Mutex<Book>,
}

/// What is known of all sessions.
#[derive(Debug, Default)]
struct Book {
    accounts: BTreeMap<SessionId, Account>,
    /// Appends and commands that a node was told of as durable.
    appends: BTreeSet<(SessionId, Digest)>,
    commands: BTreeSet<(SessionId, CmdId)>,
    /// Notices that a node was told of as durable.
    notices: BTreeSet<(SessionId, CallId)>,
}

impl Book {
    /// Targets that another session acts on too.
    fn beside(&self, id: SessionId) -> Vec<String> {
        let held = |id: &SessionId| {
            let session = self.accounts.get(id).and_then(|account| account.session.as_ref());
            session
                .into_iter()
                .flat_map(|session| session.held().values())
                .map(|held| &held.key)
                .collect::<BTreeSet<_>>()
        };
        let mine = held(&id);
        let others = self.accounts.keys().filter(|other| **other != id);
        let twice = others.flat_map(|other| held(other).into_iter().map(move |key| (other, key)));
        twice
            .filter(|(_, key)| mine.contains(key))
            .map(|(other, key)| format!("acts beside {other} on {key}"))
            .collect()
    }
}

/// One session as its log has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    /// The fold of its log.
    pub(crate) session: Option<Session>,
    head: (Seq, Digest),
    /// What its log lets happen.
    intents: BTreeMap<CallId, Intended>,
    decided: BTreeSet<ApprovalId>,
    hashes: BTreeSet<Digest>,
    erased: bool,
}

/// An intended call.
#[derive(Debug, Clone)]
struct Intended {
    tool: ToolName,
    args: Arc<Value>,
    effect: EffectClass,
    approval: Option<ApprovalId>,
}

impl Ledger {
    /// Over a store.
    pub(crate) fn new(inner: MemoryStore, deeds: Deeds, trace: Trace) -> Self {
        Self { inner, deeds, trace, book: Mutex::default() }
    }

    /// The store itself.
    pub(crate) fn store(&self) -> &MemoryStore {
        &self.inner
    }

    /// What truly happened.
    pub(crate) fn deeds(&self) -> &Deeds {
        &self.deeds
    }

    /// Something is wrong with a session.
    pub(crate) fn problem(&self, id: SessionId, problem: &str) {
        self.trace.problem(format!("{id}: {problem}"));
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One session as folded so far.
    pub(crate) fn folded(&self, id: SessionId) -> Option<Session> {
        self.book().accounts.get(&id).and_then(|account| account.session.clone())
    }

    /// The pack a session was opened with.
    pub(crate) fn pack_digest(&self, id: SessionId) -> Option<Digest> {
        let book = self.book();
        book.accounts.get(&id).and_then(|account| account.session.as_ref()).map(Session::pack_digest)
    }

    /// Whether a session was erased.
    pub(crate) fn is_erased(&self, id: SessionId) -> bool {
        self.book().accounts.get(&id).is_some_and(|account| account.erased)
    }

    /// A session was erased, and this is its last record.
    pub(crate) fn buried(&self, id: SessionId, tombstone: &AppendRecord) {
        let mut book = self.book();
        let account = book.accounts.entry(id).or_default();
        account.erased = true;
        account.head = (tombstone.header.last_seq, tombstone.hash);
        account.hashes.insert(tombstone.hash);
    }

    /// Nothing is done any more with a session that was erased.
    fn must_live(&self, what: &str, id: SessionId) {
        if self.is_erased(id) {
            self.problem(id, &format!("{what} was done after it was erased"));
        }
    }

    /// Every session.
    pub(crate) fn ids(&self) -> Vec<SessionId> {
        self.book().accounts.keys().copied().collect()
    }

    /// A node was told that this append is durable.
    pub(crate) fn told_of_append(&self, session: SessionId, hash: Digest) {
        self.book().appends.insert((session, hash));
    }

    /// A node was told that this command is durable.
    pub(crate) fn told_of_command(&self, session: SessionId, cmd_id: CmdId) {
        self.book().commands.insert((session, cmd_id));
    }

    /// A node was told that this notice is durable.
    pub(crate) fn told_of_notice(&self, session: SessionId, call: &CallId) {
        self.book().notices.insert((session, call.clone()));
    }

    /// Notices that a node was told of as durable.
    pub(crate) fn notices(&self) -> BTreeSet<(SessionId, CallId)> {
        self.book().notices.clone()
    }

    /// What nodes were told is durable and is not.
    pub(crate) async fn lost(&self) -> Vec<String> {
        let (appends, commands) = {
            let book = self.book();
            let has = |id: &SessionId, hash: &Digest| book.accounts.get(id).is_some_and(|a| a.hashes.contains(hash));
            let lost = book.appends.iter().filter(|(id, hash)| !has(id, hash));
            let lost: Vec<_> = lost.map(|(id, hash)| format!("{id}: acknowledged append {hash} is lost")).collect();
            (lost, book.commands.clone())
        };
        let mut lost = appends;
        for (id, cmd_id) in commands {
            if !self.is_erased(id) && !matches!(self.inner.outcome(&cmd_id, id).await, Ok(Some(_))) {
                lost.push(format!("{id}: acknowledged command {cmd_id} has no outcome"));
            }
        }
        lost
    }

    /// What is wrong with an effect that happens now: its intent must stand in the log, and its approval be decided.
    pub(crate) fn undue(&self, id: SessionId, call: &CallId, args: &Value) -> Option<String> {
        let book = self.book();
        let account = book.accounts.get(&id);
        let Some(intended) = account.and_then(|account| account.intents.get(call)) else {
            return Some("without an intent in the log".to_owned());
        };
        if *intended.args != *args {
            return Some("with other arguments than intended".to_owned());
        }
        let approval = intended.approval.as_ref()?;
        let is_open = account.is_some_and(|account| !account.decided.contains(approval));
        is_open.then(|| format!("its approval {approval} is not consumed"))
    }

    /// Enters what was just written.
    fn enter(&self, id: SessionId, record: &AppendRecord) {
        let mut book = self.book();
        let account = book.accounts.entry(id).or_default();
        let problems = account.enter(record, |call, event| self.deeds.contradict(id, call, event));
        let beside = book.beside(id);
        drop(book);
        for problem in beside {
            self.problem(id, &problem);
        }
        for problem in problems.unwrap_or_else(|problem| vec![problem]) {
            self.trace.problem(format!("{id}: {problem}"));
        }
    }

    /// A write that was taken came from the session's owner under its present fence, or was there before.
    fn check_owner(&self, what: &str, before: &SessionRow, by: (&Owner, provost_domain::ids::Fence)) {
        if (before.owner.as_ref(), before.fence) != (Some(by.0), by.1) {
            let (id, used) = (before.id, by.1);
            let held = before.owner.as_ref().map_or_else(|| "nobody".to_owned(), |_| format!("fence {}", before.fence));
            self.trace.problem(format!("{id}: {what} under fence {used} was taken while {held} held the session"));
        }
    }
}

impl Account {
    /// Folds a record. Returns which of its events say what is not so.
    fn enter(
        &mut self,
        record: &AppendRecord,
        contradict: impl Fn(EffectClass, &EventBody) -> Option<String>,
    ) -> Result<Vec<String>, String> {
        let events = record.open(self.head.0, self.head.1).map_err(|error| error.to_string())?;
        self.head = (record.header.last_seq, record.hash);
        self.hashes.insert(record.hash);
        let mut untrue = Vec::new();
        for event in &events {
            self.apply(event)?;
            untrue.extend(self.class(&event.body).and_then(|class| contradict(class, &event.body)));
        }
        Ok(untrue)
    }

    /// The class of the call whose end an event tells.
    fn class(&self, event: &EventBody) -> Option<EffectClass> {
        let call = match event {
            EventBody::ToolReturned(returned) => &returned.call,
            EventBody::CallProbed(probed) => &probed.call,
            _ => return None,
        };
        // A notice is taken for told once it is durable: whether it arrives shows later.
        self.intents.get(call).filter(|intended| intended.tool.as_str() != NOTICE).map(|intended| intended.effect)
    }

    fn apply(&mut self, event: &Event) -> Result<(), String> {
        if let EventBody::ToolIntended(intent) = &event.body {
            let ToolIntended { call, tool, args, effect, approval, .. } = intent;
            let (tool, approval) = (tool.clone(), approval.clone());
            let intended = Intended { tool, args: Arc::clone(args), effect: *effect, approval };
            self.intents.insert(call.clone(), intended);
        }
        if let EventBody::ApprovalDecided(decided) = &event.body
            && matches!(decided.decision, ApprovalDecision::Approved | ApprovalDecision::Edited { .. })
        {
            self.decided.insert(decided.approval.clone());
        }
        match &mut self.session {
            Some(session) => session.apply(event).map_err(|error| error.to_string()),
            None => {
                Session::create(event).map(|session| self.session = Some(session)).map_err(|error| error.to_string())
            }
        }
    }
}

#[async_trait]
impl SessionStore for Ledger {
    async fn allot(&self, prefix: &str, day: &str) -> Result<Handle, StoreError> {
        self.inner.allot(prefix, day).await
    }

    async fn create(&self, new: NewSession) -> Result<(), StoreError> {
        let (id, first) = (new.id, new.first.clone());
        self.inner.create(new).await?;
        if let Some(record) = first.and_then(|first| first.record) {
            self.enter(id, &record);
        }
        Ok(())
    }

    async fn take_over(&self, session: SessionId, owner: &Owner) -> Result<TakenOver, StoreError> {
        let taken = self.inner.take_over(session, owner).await?;
        self.must_live("a takeover", session);
        Ok(taken)
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        let before = self.inner.session(append.session).await?;
        let (id, owner, fence, record) = (append.session, append.owner.clone(), append.fence, append.record.clone());
        let known = record.as_ref().is_some_and(|record| {
            self.book().accounts.get(&id).is_some_and(|account| account.hashes.contains(&record.hash))
        });
        let appended = self.inner.append(append).await?;
        if !known {
            self.must_live("an append", id);
            self.check_owner("an append", &before, (&owner, fence));
            if let Some(record) = record {
                self.enter(id, &record);
            }
        }
        Ok(appended)
    }

    async fn park(&self, park: Park) -> Result<Parked, StoreError> {
        let before = self.inner.session(park.session).await?;
        let parked = self.inner.park(park.clone()).await?;
        self.must_live("a parking", park.session);
        self.check_owner("a parking", &before, (&park.owner, park.fence));
        if parked == Parked::Parked && !self.inner.inbox(park.session).await?.0.is_empty() {
            self.trace.problem(format!("{}: parked over an unread command", park.session));
        }
        Ok(parked)
    }
}

#[async_trait]
impl CommandLog for Ledger {
    async fn submit(&self, cmd_id: &CmdId, session: SessionId, command: &Command) -> Result<Submitted, StoreError> {
        let submitted = self.inner.submit(cmd_id, session, command).await?;
        self.must_live("a command", session);
        Ok(submitted)
    }

    async fn outcome(&self, cmd_id: &CmdId, session: SessionId) -> Result<Option<CommandOutcome>, StoreError> {
        self.inner.outcome(cmd_id, session).await
    }

    async fn inbox(&self, session: SessionId) -> Result<(Vec<InboxEntry>, u64), StoreError> {
        self.inner.inbox(session).await
    }

    async fn runnable(&self, owner: &Owner, now: Timestamp, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        self.inner.runnable(owner, now, limit).await
    }
}

#[async_trait]
impl Reads for Ledger {
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

    async fn snapshot(&self, id: SessionId) -> Result<Option<Snapshot>, StoreError> {
        self.inner.snapshot(id).await
    }

    async fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        self.inner.content(digest).await
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<ApprovalRow>, StoreError> {
        self.inner.approvals(filter).await
    }

    async fn holder(
        &self,
        key: &provost_domain::claims::ClaimKey,
    ) -> Result<Option<provost_domain::projection::ClaimRow>, StoreError> {
        self.inner.holder(key).await
    }

    async fn approval(&self, id: &ApprovalId) -> Result<ApprovalRow, StoreError> {
        self.inner.approval(id).await
    }
}
