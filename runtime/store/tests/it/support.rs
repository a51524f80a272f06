//! A store under test, and a session driven by hand.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use provost_domain::command::{Ask, Command};
use provost_domain::event::{EventBody, SignalReceived};
use provost_domain::ids::{CmdId, Digest, Fence, Handle, Owner, Seq, SessionId};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::port::{
    Append, Appended, CommandOutcome, InboxAck, NewSession, Park, Parked, StoreError, TakenOver,
};
use provost_domain::principal::Principal;
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_store::{OpenOptions, StoreUrl, Stores};
use serde_json::json;
use tempfile::TempDir;

pub(crate) struct Subject {
    pub(crate) store: Stores,
    /// The folder of its file, where it has one.
    pub(crate) folder: Option<TempDir>,
}

impl Subject {
    pub(crate) async fn memory() -> Self {
        let store = provost_store::open(&StoreUrl::Memory, OpenOptions::default()).await.unwrap();
        Self { store, folder: None }
    }

    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::in_folder(folder).await
    }

    async fn in_folder(folder: TempDir) -> Self {
        let url = StoreUrl::from(&*folder.path().join("p.db"));
        let store = provost_store::open(&url, OpenOptions::default()).await.unwrap();
        Self { store, folder: Some(folder) }
    }

    /// What another process would find; the memory store itself, which has no other.
    pub(crate) async fn reopened(self) -> Self {
        let Some(folder) = self.folder else { return self };
        self.store.close().await;
        Self::in_folder(folder).await
    }

    /// The files that hold the text; none of the memory.
    pub(crate) fn holding(&self, text: &str) -> Vec<String> {
        self.folder.as_ref().map(|folder| holding(folder.path(), text)).unwrap_or_default()
    }

    /// A new session, taken over by `me`.
    pub(crate) async fn session(&self, n: u128) -> Driven {
        self.store.log.create(new(n)).await.unwrap();
        Driven::take(&self.store, n, "me").await
    }
}

/// The files of a folder that hold the text.
pub(crate) fn holding(folder: &Path, text: &str) -> Vec<String> {
    let holds = |path: &Path| fs::read(path).unwrap().windows(text.len()).any(|part| part == text.as_bytes());
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| holds(path));
    files.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

pub(crate) fn id(n: u128) -> SessionId {
    SessionId::new(uuid::Uuid::from_u128(n))
}

pub(crate) fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(micros)
}

pub(crate) fn cmd(name: &str) -> CmdId {
    CmdId::new(name)
}

pub(crate) fn owner(name: &str) -> Owner {
    Owner::new(name)
}

pub(crate) fn new(n: u128) -> NewSession {
    NewSession {
        id: id(n),
        handle: Handle::new(format!("INC-20261120-{n:04}")),
        pack: "p".into(),
        pack_digest: Digest::of(b"pack"),
        title: format!("session {n}"),
        at: at(1),
        first: None,
    }
}

pub(crate) fn stop() -> Command {
    Command { by: Principal::user("a"), if_version: None, ask: Ask::Stop { reason: "r".to_owned() } }
}

pub(crate) fn ack(name: &str) -> InboxAck {
    InboxAck { cmd_id: cmd(name), outcome: CommandOutcome(json!({ "done": name })) }
}

pub(crate) fn hash(append: &Append) -> Digest {
    append.record.as_ref().unwrap().hash
}

/// An owner's view of its session.
#[derive(Clone)]
pub(crate) struct Driven {
    pub(crate) store: Stores,
    pub(crate) id: SessionId,
    pub(crate) owner: Owner,
    pub(crate) fence: Fence,
    pub(crate) head: Seq,
    pub(crate) prev: Digest,
}

impl Driven {
    pub(crate) async fn take(store: &Stores, n: u128, by: &str) -> Self {
        let taken = store.log.take_over(id(n), &owner(by)).await.unwrap();
        Self::of(store, &taken, by)
    }

    pub(crate) fn of(store: &Stores, taken: &TakenOver, by: &str) -> Self {
        Self {
            store: store.clone(),
            id: taken.row.id,
            owner: owner(by),
            fence: taken.row.fence,
            head: taken.row.head_seq,
            prev: taken.row.head_hash,
        }
    }

    /// The next append, with as many events.
    pub(crate) fn next(&self, events: u64) -> Append {
        let signal = |n| SignalReceived { source: "test".to_owned(), payload: Arc::new(json!({ "n": n })) }.into();
        let events: Vec<EventBody> = (0..events).map(signal).collect();
        let record = AppendRecord::seal(Unsealed {
            session: self.id,
            after: self.head,
            fence: self.fence,
            cmd_id: CmdId::new(format!("{}.{}", self.fence, self.head)),
            at: at(2),
            events: &events,
            salt: [7; 16],
            prev: self.prev,
        })
        .unwrap();
        Append { record: Some(record), progress: true, ..self.bare() }
    }

    /// An append without a record.
    pub(crate) fn bare(&self) -> Append {
        Append {
            session: self.id,
            fence: self.fence,
            owner: self.owner.clone(),
            expected_seq: self.head,
            record: None,
            status: Status::InProgress,
            ended: false,
            release: false,
            snapshot: None,
            contents: Vec::new(),
            approvals: Vec::new(),
            claims: provost_domain::port::ClaimChanges::default(),
            acks: Vec::new(),
            progress: false,
            at: at(2),
        }
    }

    /// Writes, and moves on when it was written.
    pub(crate) async fn write(&mut self, append: Append) -> Result<Appended, StoreError> {
        let hash = append.record.as_ref().map(|record| record.hash);
        let appended = self.store.log.append(append).await?;
        self.head = appended.head_seq;
        self.prev = hash.unwrap_or(self.prev);
        Ok(appended)
    }

    pub(crate) async fn grow(&mut self, events: u64) -> Append {
        let append = self.next(events);
        self.write(append.clone()).await.unwrap();
        append
    }

    pub(crate) async fn park(&self, wake_seq: u64, next_run_at: Option<Timestamp>) -> Result<Parked, StoreError> {
        let (session, fence, owner) = (self.id, self.fence, self.owner.clone());
        self.store.log.park(Park { session, fence, owner, wake_seq, next_run_at }).await
    }

    pub(crate) async fn records(&self) -> Vec<AppendRecord> {
        self.store.reads.sessions.records(self.id, Seq(0), 1000).await.unwrap()
    }
}

/// Whether the session's log is gapless from 1, its hashes chain, and it ends where its row says.
#[track_caller]
pub(crate) fn assert_chained(records: &[AppendRecord], head: Seq) {
    let mut last = (Seq(0), Digest::default());
    for record in records {
        record.verify(last.0, last.1).unwrap();
        last = (record.header.last_seq, record.hash);
    }
    assert_eq!(last.0, head);
}
