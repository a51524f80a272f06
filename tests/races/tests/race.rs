//! One session in the store, the book its race is kept in, and what must hold once every thread has ended.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use provost_domain::command::{Ask, Command};
use provost_domain::event::EventBody;
use provost_domain::ids::{CmdId, Digest, Fence, Handle, Owner, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::port::{CommandLog as _, CommandOutcome, NewSession, Reads as _, SessionStore as _, Submitted};
use provost_domain::principal::Principal;
use provost_domain::time::Timestamp;
use provost_races::memory::MemoryStore;
use serde_json::json;
use shuttle::future::block_on;

use crate::owner::Carrier;

/// The session they race for.
pub(crate) const SESSION: SessionId = SessionId::new(uuid::Uuid::from_u128(1));
/// More than any list here holds.
const ALL: u32 = 100;

/// A session of a store, and what its owners and submitters saw of it.
pub(crate) struct Race {
    pub(crate) store: MemoryStore,
    /// Never locked where another thread can go on.
    book: Mutex<Book>,
}

/// What the store answered.
#[derive(Default)]
pub(crate) struct Book {
    /// Commands whose submission was answered.
    pub(crate) acknowledged: BTreeSet<CmdId>,
    /// Commands that the store said it stored.
    pub(crate) stored: Vec<CmdId>,
    /// Each fence with the head it was taken at.
    pub(crate) taken: Vec<(Fence, Seq)>,
    /// Under which fences a command was settled.
    pub(crate) settled: BTreeMap<CmdId, Vec<Fence>>,
    /// Records that were written, and those that were refused.
    pub(crate) written: BTreeSet<Digest>,
    pub(crate) refused: BTreeSet<Digest>,
}

/// What an owner that settles a command says of it.
pub(crate) fn outcome(fence: Fence) -> CommandOutcome {
    CommandOutcome(json!({ "fence": fence }))
}

/// A command that becomes an event named after it; any other is settled by a bare acknowledgement, as a refusal is.
pub(crate) fn is_told(cmd_id: &CmdId) -> bool {
    cmd_id.as_str().starts_with("told")
}

impl Race {
    /// In a new store, where nobody holds it.
    pub(crate) fn new(store: MemoryStore) -> Self {
        let new = NewSession {
            id: SESSION,
            handle: Handle::new("S-20261120-0001"),
            pack: "p".into(),
            pack_digest: Digest::of(b"pack"),
            title: "a race".to_owned(),
            at: Timestamp::default(),
            first: None,
        };
        block_on(store.create(new)).unwrap();
        Self { store, book: Mutex::default() }
    }

    pub(crate) fn book<T>(&self, work: impl FnOnce(&mut Book) -> T) -> T {
        work(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a command into the inbox.
    pub(crate) fn submit(&self, name: &str) {
        let cmd_id = CmdId::new(name);
        let ask = Ask::Speak { text: name.to_owned() };
        let command = Command { by: Principal::user("a"), if_version: None, ask };
        let submitted = block_on(self.store.submit(&cmd_id, SESSION, &command)).unwrap();
        self.book(|book| {
            if submitted == Submitted::Stored {
                book.stored.push(cmd_id.clone());
            }
            book.acknowledged.insert(cmd_id);
        });
    }

    /// Whether a sweep of this owner would take the session.
    pub(crate) fn is_runnable(&self, owner: &str) -> bool {
        let found = block_on(self.store.runnable(&Owner::new(owner), Timestamp::default(), ALL)).unwrap();
        found.iter().any(|claimed| claimed.session == SESSION)
    }

    /// The newest fence that somebody holds the session under.
    pub(crate) fn fence(&self) -> Option<Fence> {
        self.book(|book| book.taken.iter().map(|(fence, _)| *fence).max())
    }

    /// An owner was told that the session is parked. Whoever had been answered before it asked must not be left unread.
    pub(crate) fn parked(&self, acknowledged: &BTreeSet<CmdId>) {
        let settled: BTreeSet<CmdId> = self.book(|book| book.settled.keys().cloned().collect());
        let unread: Vec<_> = acknowledged.difference(&settled).collect();
        assert!(unread.is_empty(), "parked over acknowledged commands: {unread:?}");
    }

    /// Every thread has ended: nobody holds the session, and what is unread is found by the next sweep, which settles it.
    /// Then the book and the store must agree.
    pub(crate) fn ends(&self) {
        assert_eq!(block_on(self.store.session(SESSION)).unwrap().owner, None, "held by nobody who is there");
        let (unread, _) = block_on(self.store.inbox(SESSION)).unwrap();
        assert_eq!(
            self.is_runnable("next"),
            !unread.is_empty(),
            "unread: {unread:?}; a lost wake-up, or a needless one"
        );
        if !unread.is_empty() {
            Carrier::take(self, "next").carry().unwrap();
        }
        assert!(block_on(self.store.inbox(SESSION)).unwrap().0.is_empty());
        assert!(!self.is_runnable("next"));
        self.the_log_is_sound();
        self.every_command_is_settled_once();
    }

    fn every_command_is_settled_once(&self) {
        self.book(|book| book.stored.sort());
        let stored = self.book(|book| book.stored.clone());
        let acknowledged = self.book(|book| book.acknowledged.iter().cloned().collect::<Vec<_>>());
        assert_eq!(stored, acknowledged, "every command is stored once");
        let settled = self.book(|book| book.settled.clone());
        assert_eq!(settled.keys().cloned().collect::<Vec<_>>(), stored);
        for (cmd_id, fences) in settled {
            let [fence] = fences.as_slice() else { panic!("{cmd_id} was settled under {fences:?}") };
            let said = block_on(self.store.outcome(&cmd_id, SESSION)).unwrap();
            assert_eq!(said, Some(outcome(*fence)), "what became of {cmd_id}");
        }
    }

    /// It chains, holds what was acknowledged and nothing that was refused, tells every command once, and nobody wrote
    /// after the session was taken from him.
    fn the_log_is_sound(&self) {
        let records = block_on(self.store.records(SESSION, Seq(0), ALL)).unwrap();
        let taken = self.book(|book| book.taken.clone());
        for AppendRecord { header, .. } in &records {
            let later = taken.iter().find(|(fence, head)| *fence > header.fence && *head < header.first_seq);
            assert_eq!(later, None, "a fenced owner wrote event {} under {}", header.first_seq, header.fence);
        }
        let mut told = self.told(&records);
        let mut commands = self.book(|book| book.stored.clone());
        commands.retain(is_told);
        told.sort();
        commands.sort();
        assert_eq!(told, commands, "every command is told once");
        let hashes: BTreeSet<Digest> = records.iter().map(|record| record.hash).collect();
        self.book(|book| {
            assert_eq!(hashes, book.written, "the log holds what was acknowledged, and that only");
            assert!(hashes.is_disjoint(&book.refused));
        });
    }

    /// The commands that the log's events name.
    fn told(&self, records: &[AppendRecord]) -> Vec<CmdId> {
        let mut head = (Seq(0), Digest::default());
        let mut told = Vec::new();
        for record in records {
            for event in record.open(head.0, head.1).unwrap() {
                let EventBody::SignalReceived(signal) = event.body else { panic!("nobody wrote {event:?}") };
                told.push(CmdId::new(signal.source));
            }
            head = (record.header.last_seq, record.hash);
        }
        let row = block_on(self.store.session(SESSION)).unwrap();
        assert_eq!((row.head_seq, row.head_hash), head, "the row's head");
        told
    }
}
