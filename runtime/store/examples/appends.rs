//! Appends per second on this machine, in the shape of a session: `cargo run --release -p provost-store --example appends`.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, run by hand")]

use std::sync::Arc;

use provost_domain::command::{Ask, Command};
use provost_domain::event::{EventBody, SignalReceived};
use provost_domain::ids::{CmdId, Digest, Owner, SessionId};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::port::{Append, CommandLog, CommandOutcome, InboxAck, NewSession, Reads, SessionStore, Snapshot};
use provost_domain::principal::Principal;
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_store::{MemoryStore, SqliteStore};
use serde_json::json;
use tokio::time::Instant;

const APPENDS: u64 = 14;
const EVENTS: u64 = 3;

trait Store: SessionStore + CommandLog + Reads {}
impl<S: SessionStore + CommandLog + Reads> Store for S {}

/// One session from its creation to its end.
async fn session(store: Arc<dyn Store>, n: u128, text: Arc<str>) {
    let id = SessionId::new(uuid::Uuid::from_u128(n));
    let (owner, cmd, at) = (Owner::new("bench"), CmdId::new("start"), Timestamp::from_micros(1));
    let new = NewSession {
        id,
        handle: store.allot("INC", "20261120").await.unwrap(),
        pack: "bench".into(),
        pack_digest: Digest::of(b"pack"),
        title: "bench".to_owned(),
        at,
        first: None,
    };
    store.create(new).await.unwrap();
    let start = Command { by: Principal::user("a"), if_version: None, ask: Ask::Start };
    store.submit(&cmd, id, &start).await.unwrap();
    let row = store.take_over(id, &owner).await.unwrap().row;
    let (mut head, mut prev) = (row.head_seq, row.head_hash);
    for step in 0..APPENDS {
        let payload = Arc::new(json!({ "text": &*text }));
        let event =
            |_| -> EventBody { SignalReceived { source: "bench".to_owned(), payload: Arc::clone(&payload) }.into() };
        let events: Vec<EventBody> = (0..EVENTS).map(event).collect();
        let cmd_id = CmdId::new(format!("{step}"));
        let record = AppendRecord::seal(Unsealed {
            session: id,
            after: head,
            fence: row.fence,
            cmd_id,
            at,
            events: &events,
            salt: [1; 16],
            prev,
        })
        .unwrap();
        let expected_seq = head;
        (head, prev) = (record.header.last_seq, record.hash);
        let turn_end = step % 4 == 3;
        let ack = InboxAck { cmd_id: cmd.clone(), outcome: CommandOutcome(json!({ "ok": true })) };
        let append = Append {
            session: id,
            fence: row.fence,
            owner: owner.clone(),
            expected_seq,
            record: Some(record),
            status: Status::InProgress,
            ended: step + 1 == APPENDS,
            release: step + 1 == APPENDS,
            snapshot: turn_end.then(|| Snapshot { seq: head, hash: prev, header: text.as_bytes().to_vec() }),
            contents: Vec::new(),
            approvals: Vec::new(),
            claims: provost_domain::port::ClaimChanges::default(),
            acks: if step == 0 { vec![ack] } else { Vec::new() },
            progress: true,
            at,
        };
        store.append(append).await.unwrap();
    }
}

async fn measure(name: &str, store: Arc<dyn Store>, first: u128, sessions: u128, at_once: u128) {
    let text: Arc<str> = "x".repeat(500).into();
    let before = cpu_ms();
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..at_once {
        let (store, text) = (Arc::clone(&store), Arc::clone(&text));
        tasks.spawn(async move {
            for n in (lane..sessions).step_by(usize::try_from(at_once).unwrap()) {
                session(Arc::clone(&store), first + n, Arc::clone(&text)).await;
            }
        });
    }
    tasks.join_all().await;
    let seconds = begin.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let (count, appends, cpu) = (sessions as f64, (sessions * u128::from(APPENDS)) as f64, (cpu_ms() - before) as f64);
    println!(
        "{name:>7} {at_once:>4} at once: {:>6.0} sessions/s, {:>7.0} appends/s, {:.2} ms cpu per session",
        count / seconds,
        appends / seconds,
        cpu / count
    );
}

/// User and system time of this process, in clock ticks of 10 ms.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.split(' ').collect();
    fields.iter().skip(13).take(2).map(|field| field.parse::<u64>().unwrap() * 10).sum()
}

/// How many sessions, and how many of them at once.
fn rounds() -> Vec<(u128, u128)> {
    match std::env::args().nth(2).and_then(|at_once| at_once.parse().ok()) {
        Some(at_once) => vec![(300 + at_once * 30, at_once)],
        None => vec![(300, 1), (3000, 16), (8000, 256)],
    }
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir_in(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned())).unwrap();
    for (round, (sessions, at_once)) in (0_u128..).zip(rounds()) {
        let path = folder.path().join(format!("{round}.db"));
        let store = SqliteStore::open(&path).await.unwrap();
        measure("sqlite", Arc::new(store.clone()), round << 32, sessions, at_once).await;
        store.close().await;
        println!("        {} bytes per session", u128::from(std::fs::metadata(&path).unwrap().len()) / sessions);
    }
    measure("memory", Arc::new(MemoryStore::new()), 0, 20_000, 256).await;
}
