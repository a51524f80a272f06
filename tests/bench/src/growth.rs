//! `bench growth`: one session of many turns. What it costs on disk, what a turn costs at its beginning and at its end, and
//! what loading it costs once it is long.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use provost_domain::ids::{Digest, Owner, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::port::SessionStore as _;
use provost_domain::session::Session;
use provost_store::SqliteStore;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::machine;
use crate::parts::BenchModel;
use crate::run::{Kind, Subject, drive, ratio};

/// Turns of the other agents before the first one's.
const TURNS_BESIDES: u32 = 4;
/// Loads of which the quickest is told.
const LOADS: usize = 31;

/// One session for each number of turns, and how the longest compares with the shortest.
pub(crate) async fn growth(turns: &[u32]) -> Result<Value> {
    let mut figures = Vec::new();
    for turns in turns {
        figures.push(session(*turns).await?);
    }
    let number = |figure: Option<&Value>, name: &str| figure.and_then(|figure| figure[name].as_f64()).unwrap_or(0.0);
    let longest_over_shortest = |name: &str| {
        let (first, last) = (number(figures.first(), name), number(figures.last(), name));
        (last / first * 100.0).round() / 100.0
    };
    let compared = json!({
        "last_turns_us": longest_over_shortest("last_turns_us"),
        "cpu_us_per_turn": longest_over_shortest("cpu_us_per_turn"),
        "load_us": longest_over_shortest("load_us"),
    });
    Ok(json!({"sessions": figures, "longest_over_shortest": compared}))
}

/// Walks one session and measures it.
pub(crate) async fn session(turns: u32) -> Result<Value> {
    let model = BenchModel { again: AtomicU32::new(turns.saturating_sub(TURNS_BESIDES)), ..BenchModel::default() };
    let subject = Subject::open(Kind::Sqlite, model, 8).await?;
    let before = machine::cpu()?;
    let took = drive(&subject, 1, 1, &["resolved"]).await?;
    let cpu = machine::cpu()?.saturating_sub(before);
    let (id, _) = took.first().context("no session")?;
    let log = subject.engine.reads().records(*id, Seq(0), u32::MAX).await?;
    let payload: usize = log.iter().filter_map(|record| record.payload.as_ref()).map(Vec::len).sum();
    let per_turn = (log.len() / turns.max(1) as usize).max(1);
    let tenth = log.len() / 10;
    let (first, last) = (typical(log.iter().take(tenth), per_turn), typical(log.iter().rev().take(tenth), per_turn));
    subject.close().await;
    let (bytes, (load, tail)) = (subject.bytes()?, load(&subject, *id).await?);
    Ok(json!({
        "turns": turns, "events": log.last().map(|record| record.header.last_seq), "appends": log.len(),
        "payload_bytes": payload, "disk_bytes": bytes, "disk_over_payload": ratio(bytes, payload as u128),
        "first_turns_us": first, "last_turns_us": last,
        "cpu_us_per_turn": cpu.as_micros() / u128::from(turns.max(1)),
        "load_us": load.as_micros(), "load_tail_events": tail,
    }))
}

/// The median microseconds between appends that are one turn apart: what else the machine does moves it little.
fn typical<'a>(appends: impl Iterator<Item = &'a AppendRecord>, per_turn: usize) -> u64 {
    let at: Vec<i64> = appends.map(|record| record.header.at.micros()).collect();
    let mut turns: Vec<u64> = at.iter().zip(at.iter().skip(per_turn)).map(|(one, next)| one.abs_diff(*next)).collect();
    turns.sort_unstable();
    turns.get(turns.len() / 2).copied().unwrap_or(0)
}

/// Takes the session over as a new process would and folds it: the quickest time, and how many events were folded.
async fn load(subject: &Subject, id: SessionId) -> Result<(Duration, u64)> {
    let (mut took, mut tail) = (Vec::new(), 0);
    for index in 0..LOADS {
        let store = SqliteStore::open(&subject.file()).await?;
        let began = Instant::now();
        let taken = store.take_over(id, &Owner::new(format!("bench-{index}"))).await?;
        let snapshot = taken.snapshot.context("a long session has a snapshot")?;
        let mut session = Session::from_snapshot(&snapshot.header)?;
        let mut head: (Seq, Digest) = (snapshot.seq, snapshot.hash);
        for record in taken.records {
            for event in record.open(head.0, head.1)? {
                session.apply(&event)?;
            }
            head = (record.header.last_seq, record.hash);
        }
        took.push(began.elapsed());
        ensure!(head.0 == taken.row.head_seq, "the log ends at {}, the row says {}", head.0, taken.row.head_seq);
        tail = head.0.0 - snapshot.seq.0;
        store.close().await;
    }
    Ok((took.into_iter().min().unwrap_or_default(), tail))
}
