//! One suite for every store: what the engine relies on.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use provost_domain::command::{Ask, Command};
use provost_domain::event::{EventBody, SignalReceived};
use provost_domain::ids::{
    ApprovalId, CallId, CmdId, Digest, Fence, Handle, Owner, Principal, Seq, SessionId, ToolName,
};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::port::{
    Append, ApprovalChange, ApprovalFilter, ApprovalRow, CommandLog, CommandOutcome, InboxAck, NewSession, Park,
    Parked, Reads, SessionFilter, SessionStore, Snapshot, StoreError, Submitted,
};
use provost_domain::time::Timestamp;
use provost_domain::tool::Content;
use provost_store::{MemoryStore, SqliteStore};
use serde_json::json;

/// A store under test, with what keeps its files alive.
struct Subject {
    writes: Arc<dyn SessionStore>,
    commands: Arc<dyn CommandLog>,
    reads: Arc<dyn Reads>,
    _folder: Option<tempfile::TempDir>,
}

async fn subjects() -> Vec<Subject> {
    let memory = Arc::new(MemoryStore::new());
    let folder = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(&folder.path().join("p.db")).await.unwrap();
    vec![
        Subject { writes: Arc::clone(&memory) as _, commands: Arc::clone(&memory) as _, reads: memory, _folder: None },
        Subject {
            reads: Arc::new(sqlite.reads()),
            writes: Arc::new(sqlite.clone()),
            commands: Arc::new(sqlite),
            _folder: Some(folder),
        },
    ]
}

fn owner(name: &str) -> Owner {
    Owner::new(name)
}

fn id(n: u128) -> SessionId {
    SessionId::new(uuid::Uuid::from_u128(n))
}

fn new(n: u128) -> NewSession {
    NewSession {
        id: id(n),
        handle_prefix: "INC".to_owned(),
        day: "20261120".to_owned(),
        pack: "p".to_owned(),
        pack_digest: Digest::of(b"pack"),
        title: "title".to_owned(),
        at: Timestamp::from_micros(1),
    }
}

fn signal(n: u64) -> EventBody {
    SignalReceived { source: "test".to_owned(), payload: Arc::new(json!({ "n": n })) }.into()
}

/// An append of `count` events on top of `after` and `prev`.
fn append(n: u128, fence: u64, after: u64, count: u64, prev: Digest) -> Append {
    let events: Vec<EventBody> = (0..count).map(signal).collect();
    let record = AppendRecord::seal(Unsealed {
        session: id(n),
        after: Seq(after),
        fence: Fence(fence),
        cmd_id: CmdId::new(format!("c{after}")),
        at: Timestamp::from_micros(2),
        events: &events,
        salt: [7; 16],
        prev,
    });
    Append {
        session: id(n),
        fence: Fence(fence),
        owner: owner("me"),
        expected_seq: Seq(after),
        record: Some(record),
        status: "in_progress".to_owned(),
        ended: false,
        snapshot: None,
        contents: Vec::new(),
        approvals: Vec::new(),
        acks: Vec::new(),
        at: Timestamp::from_micros(2),
    }
}

fn hash(append: &Append) -> Digest {
    append.record.as_ref().unwrap().hash
}

fn stop() -> Command {
    Command { by: Principal::new("user:a"), if_version: None, ask: Ask::Stop { reason: "r".to_owned() } }
}

#[tokio::test]
async fn handles_count_up_without_an_upper_limit() {
    for subject in subjects().await {
        let mut last = Handle::new("");
        for n in 1..=1001 {
            last = subject.writes.create(new(n)).await.unwrap();
        }
        assert_eq!(last.as_str(), "INC-20261120-1001");
        assert_eq!(subject.reads.by_handle(&last).await.unwrap(), id(1001));
    }
}

#[tokio::test]
async fn appends_come_back_as_written_and_chain() {
    for subject in subjects().await {
        subject.writes.create(new(1)).await.unwrap();
        subject.writes.take_over(id(1), &owner("me")).await.unwrap();
        let first = append(1, 1, 0, 3, Digest::default());
        let second = append(1, 1, 3, 2, hash(&first));
        assert_eq!(subject.writes.append(first.clone()).await.unwrap().head_seq, Seq(3));
        assert_eq!(subject.writes.append(second.clone()).await.unwrap().head_seq, Seq(5));
        let records = subject.reads.records(id(1), Seq(0), 100).await.unwrap();
        assert_eq!(records, vec![first.record.clone().unwrap(), second.record.clone().unwrap()]);
        assert_eq!(subject.reads.records(id(1), Seq(3), 100).await.unwrap().len(), 1);
        assert_eq!(subject.reads.records(id(1), Seq(2), 100).await.unwrap().len(), 2, "an append holding event 3");
        let row = subject.reads.session(id(1)).await.unwrap();
        assert_eq!((row.head_seq, row.head_hash, row.status.as_str()), (Seq(5), hash(&second), "in_progress"));
        let taken = subject.writes.take_over(id(1), &owner("me")).await.unwrap();
        assert_eq!((taken.records.len(), taken.row.fence), (2, Fence(2)));
    }
}

#[tokio::test]
async fn an_older_owner_is_fenced_and_writes_nothing() {
    for subject in subjects().await {
        subject.writes.create(new(1)).await.unwrap();
        subject.writes.take_over(id(1), &owner("me")).await.unwrap();
        subject.writes.take_over(id(1), &owner("other")).await.unwrap();
        let late = append(1, 1, 0, 1, Digest::default());
        assert_eq!(subject.writes.append(late).await, Err(StoreError::Fenced));
        let park = Park { session: id(1), fence: Fence(1), owner: owner("me"), wake_seq: 0, next_run_at: None };
        assert_eq!(subject.writes.park(park).await, Err(StoreError::Fenced));
        assert_eq!(subject.reads.records(id(1), Seq(0), 9).await.unwrap(), vec![]);
    }
}

#[tokio::test]
async fn a_wrong_head_is_stale_and_the_same_append_twice_is_written_once() {
    for subject in subjects().await {
        subject.writes.create(new(1)).await.unwrap();
        subject.writes.take_over(id(1), &owner("me")).await.unwrap();
        let first = append(1, 1, 0, 2, Digest::default());
        subject.writes.append(first.clone()).await.unwrap();
        assert_eq!(subject.writes.append(first).await.unwrap().head_seq, Seq(2), "an ambiguous commit asked again");
        let stale = Append { expected_seq: Seq(1), ..append(1, 1, 1, 1, Digest::default()) };
        assert_eq!(subject.writes.append(stale).await, Err(StoreError::Stale));
        let unchained = append(1, 1, 2, 1, Digest::of(b"elsewhere"));
        assert_eq!(subject.writes.append(unchained).await, Err(StoreError::Stale));
        assert_eq!(subject.reads.records(id(1), Seq(0), 9).await.unwrap().len(), 1);
    }
}

fn approval() -> ApprovalRow {
    ApprovalRow {
        id: ApprovalId::new("apr_1"),
        session: id(1),
        call: CallId::new("1.1.0"),
        tool: ToolName::new("a:b"),
        args: json!({"x": 1}),
        args_hash: Digest::of(b"x"),
        policy_digest: Digest::of(b"p"),
        reason: "high_risk_tool".to_owned(),
        state: "pending".to_owned(),
        decided_by: None,
        requested_at: Timestamp::from_micros(2),
        expires_at: Timestamp::from_micros(3),
        decided_at: None,
    }
}

#[tokio::test]
async fn every_part_of_an_append_is_written_with_it_or_not_at_all() {
    for subject in subjects().await {
        subject.writes.create(new(1)).await.unwrap();
        subject.writes.take_over(id(1), &owner("me")).await.unwrap();
        subject.commands.submit(&CmdId::new("k"), id(1), &stop()).await.unwrap();
        let bytes = b"large".to_vec();
        let digest = Digest::of(&bytes);
        let mut full = append(1, 1, 0, 2, Digest::default());
        full.contents = vec![Content { digest, bytes }];
        full.approvals = vec![ApprovalChange::Asked(Box::new(approval()))];
        full.acks = vec![InboxAck { cmd_id: CmdId::new("k"), outcome: CommandOutcome(json!({"ok": true})) }];
        full.snapshot = Some(Snapshot { seq: Seq(2), hash: hash(&full), header: b"header".to_vec() });
        let fenced = Append { fence: Fence(9), ..full.clone() };
        assert_eq!(subject.writes.append(fenced).await, Err(StoreError::Fenced));
        assert!(subject.reads.content(digest).await.is_err());
        assert!(subject.reads.approval(&ApprovalId::new("apr_1")).await.is_err());
        assert_eq!(subject.commands.outcome(&CmdId::new("k"), id(1)).await.unwrap(), None);

        subject.writes.append(full).await.unwrap();
        assert_eq!(subject.reads.content(digest).await.unwrap(), b"large");
        assert_eq!(subject.reads.approval(&ApprovalId::new("apr_1")).await.unwrap(), approval());
        let known = subject.commands.submit(&CmdId::new("k"), id(1), &stop()).await.unwrap();
        assert_eq!(known, Submitted::Known(Some(CommandOutcome(json!({"ok": true})))));
        let taken = subject.writes.take_over(id(1), &owner("me")).await.unwrap();
        assert_eq!(taken.snapshot.unwrap().header, b"header");
        assert_eq!((taken.records, taken.inbox), (vec![], vec![]));
    }
}

#[tokio::test]
async fn a_decided_approval_never_changes() {
    for subject in subjects().await {
        subject.writes.create(new(1)).await.unwrap();
        subject.writes.take_over(id(1), &owner("me")).await.unwrap();
        let mut prev = Digest::default();
        let decided = |state| ApprovalChange::Decided {
            id: ApprovalId::new("apr_1"),
            state,
            by: Some(Principal::new("user:a")),
            edited: None,
            at: Timestamp::from_micros(3),
        };
        let changes = [ApprovalChange::Asked(Box::new(approval())), decided("rejected"), decided("approved")];
        for (after, change) in (0..).zip(changes) {
            let mut next = append(1, 1, after, 1, prev);
            next.approvals = vec![change];
            prev = hash(&next);
            subject.writes.append(next).await.unwrap();
        }
        let filter = ApprovalFilter { session: Some(id(1)), pending_only: false, limit: 10 };
        let rows = subject.reads.approvals(&filter).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.state.as_str()).collect::<Vec<_>>(), ["rejected"]);
        let filter = ApprovalFilter { pending_only: true, limit: 10, session: None };
        assert_eq!(subject.reads.approvals(&filter).await.unwrap(), vec![]);
    }
}

#[tokio::test]
async fn parking_sees_a_command_that_came_meanwhile() {
    for subject in subjects().await {
        subject.writes.create(new(1)).await.unwrap();
        subject.writes.take_over(id(1), &owner("me")).await.unwrap();
        let park = |wake_seq| Park {
            session: id(1),
            fence: Fence(1),
            owner: owner("me"),
            wake_seq,
            next_run_at: Some(Timestamp::from_micros(50)),
        };
        subject.commands.submit(&CmdId::new("k"), id(1), &stop()).await.unwrap();
        let Parked::Woken { inbox, wake_seq } = subject.writes.park(park(0)).await.unwrap() else {
            panic!("parked over an unread command");
        };
        assert_eq!((inbox.len(), wake_seq), (1, 1));
        assert_eq!(subject.writes.park(park(1)).await.unwrap(), Parked::Parked);
        assert_eq!(subject.reads.session(id(1)).await.unwrap().owner, None);
    }
}

#[tokio::test]
async fn what_must_run_is_found_and_what_rests_is_not() {
    for subject in subjects().await {
        let at = Timestamp::from_micros(100);
        for n in 1..=3 {
            subject.writes.create(new(n)).await.unwrap();
        }
        subject.writes.take_over(id(1), &owner("dead")).await.unwrap();
        subject.writes.take_over(id(2), &owner("me")).await.unwrap();
        let park = Park { session: id(2), fence: Fence(1), owner: owner("me"), wake_seq: 0, next_run_at: Some(at) };
        subject.writes.park(park).await.unwrap();
        let runnable = async |now| -> Vec<SessionId> {
            let found = subject.commands.runnable(&owner("me"), Timestamp::from_micros(now), 10).await.unwrap();
            found.into_iter().map(|claimed| claimed.session).collect()
        };
        assert_eq!(runnable(99).await, vec![id(1)]);
        assert_eq!(runnable(100).await, vec![id(1), id(2)]);
        subject.commands.submit(&CmdId::new("k"), id(3), &stop()).await.unwrap();
        assert_eq!(runnable(99).await, vec![id(1), id(3)]);
        let (inbox, wake_seq) = subject.commands.inbox(id(3)).await.unwrap();
        assert_eq!((inbox.len(), wake_seq), (1, 1));
        subject.writes.take_over(id(3), &owner("me")).await.unwrap();
        let mut done = append(3, 1, 0, 1, Digest::default());
        done.acks = vec![InboxAck { cmd_id: CmdId::new("k"), outcome: CommandOutcome(json!(1)) }];
        done.ended = true;
        subject.writes.append(done).await.unwrap();
        assert_eq!(runnable(99).await, vec![id(1)], "an ended session with a read inbox rests");
    }
}

#[tokio::test]
async fn lists_are_newest_first_with_a_cursor() {
    for subject in subjects().await {
        for n in 1..=5 {
            subject.writes.create(new(n)).await.unwrap();
        }
        let page = async |before| -> Vec<SessionId> {
            let filter = SessionFilter { before, limit: 2, ..SessionFilter::default() };
            subject.reads.sessions(&filter).await.unwrap().into_iter().map(|row| row.id).collect()
        };
        assert_eq!(page(None).await, vec![id(5), id(4)]);
        assert_eq!(page(Some(id(4))).await, vec![id(3), id(2)]);
        let filter = SessionFilter { status: Some("stopped".to_owned()), limit: 9, ..SessionFilter::default() };
        assert_eq!(subject.reads.sessions(&filter).await.unwrap(), vec![]);
    }
}

async fn twenty_appends(writes: Arc<dyn SessionStore>, n: u128) {
    writes.create(new(n)).await.unwrap();
    writes.take_over(id(n), &owner("me")).await.unwrap();
    let mut prev = Digest::default();
    for step in 0..20 {
        let next = append(n, 1, step * 2, 2, prev);
        prev = hash(&next);
        writes.append(next).await.unwrap();
    }
}

#[tokio::test]
async fn many_sessions_append_at_once_and_lose_nothing() {
    for subject in subjects().await {
        let mut tasks = tokio::task::JoinSet::new();
        for n in 1..=64 {
            let writes = Arc::clone(&subject.writes);
            tasks.spawn(twenty_appends(writes, n));
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
        for n in 1..=64 {
            let records = subject.reads.records(id(n), Seq(0), 100).await.unwrap();
            let mut head = (Seq(0), Digest::default());
            for record in &records {
                record.verify(head.0, head.1).unwrap();
                head = (record.header.last_seq, record.hash);
            }
            assert_eq!(head.0, Seq(40));
        }
    }
}
