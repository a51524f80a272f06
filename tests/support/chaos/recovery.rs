//! How long a start takes when many sessions were at work: a store of closed, parked and running sessions made by the real
//! daemon, kill -9, and the same daemon again.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::caller::Caller;
use super::site::{self, Process, Site};
use super::witness::{HELD, Manner, Witness};
use super::{LIVE_MAX, Settings};
use crate::desk::last_line;
use crate::eventually::eventually;

/// Only how long a failing measurement takes.
const PATIENCE: Duration = Duration::from_mins(10);

/// How many sessions of each kind.
#[derive(Debug, Clone, Copy)]
pub struct Herd {
    /// Closed with an outcome.
    pub closed: usize,
    /// Waiting for an approval.
    pub parked: usize,
    /// In the middle of a call when the daemon is killed.
    pub running: usize,
}

/// Measures. Times are in milliseconds, from the start of the process.
pub async fn recovery(program: PathBuf, herd: Herd, told: impl Fn(&str)) -> Value {
    let witness = Witness::start(Manner { slow: false, sure: true }).await;
    let settings = Settings {
        program,
        kills: 0,
        seed: 0,
        fill_disk: false,
        quiet: Duration::ZERO,
        meetings: false,
        environment: Vec::new(),
    };
    let site = Site::build(&settings, &witness.url).await;
    let (up, url) = watch::channel(None);
    let caller = Caller::new(url, site.secret(site::OPERATOR));
    let daemon = Started::start(&site, &up, &caller).await;
    told("opening closed and parked sessions");
    let built = Instant::now();
    open(&caller, "open", 0, herd.closed).await;
    open(&caller, "guarded", herd.closed, herd.parked).await;
    rest(&caller).await;
    told("opening running sessions");
    witness.counts.hold(true);
    open(&caller, HELD, herd.closed + herd.parked, herd.running).await;
    witness.counts.until_came(herd.running).await;
    let built = built.elapsed();
    daemon.process.kill().await;
    up.send_replace(None);
    witness.counts.forget();
    told("starting again after kill -9");
    let crashed = Started::start(&site, &up, &caller).await;
    tokio::time::timeout(PATIENCE, witness.counts.until_came(herd.running)).await.unwrap();
    let going = crashed.began.elapsed();
    witness.counts.hold(false);
    rest(&caller).await;
    crashed.process.stop().await;
    up.send_replace(None);
    told("starting again after an orderly end");
    let clean = Started::start(&site, &up, &caller).await;
    clean.process.stop().await;
    let audit = last_line(&site.command(&["audit", "verify"]).output().await.unwrap());
    let Herd { closed, parked, running } = herd;
    json!({
        "sessions": {"closed": closed, "parked": parked, "running_at_kill": running}, "built_ms": ms(built),
        "after_kill": {"first_request_ms": ms(crashed.served), "all_going_ms": ms(going)},
        "after_orderly_end": {"first_request_ms": ms(clean.served)},
        "first_request_ratio": (crashed.served.as_secs_f64() / clean.served.as_secs_f64() * 100.0).round() / 100.0,
        "store_mib": std::fs::metadata(site.store()).unwrap().len() / 1024 / 1024,
        "audit": audit,
    })
}

fn ms(span: Duration) -> f64 {
    (span.as_secs_f64() * 10_000.0).round() / 10.0
}

/// A daemon that has answered once.
struct Started {
    process: Process,
    began: Instant,
    /// How long the first answer took from the start of the process.
    served: Duration,
}

impl Started {
    async fn start(site: &Site, up: &watch::Sender<Option<String>>, caller: &Caller) -> Self {
        let began = Instant::now();
        let mut process = site.spawn();
        up.send_replace(Some(process.listening().await.unwrap()));
        let (status, answer) = caller.get("/v1/sessions?page_size=1").await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        Self { process, began, served: began.elapsed() }
    }
}

/// Opens sessions, some at once.
async fn open(caller: &Caller, environment: &'static str, from: usize, count: usize) {
    let mut tasks = JoinSet::new();
    for index in from..from + count {
        if tasks.len() >= LIVE_MAX {
            tasks.join_next().await.unwrap().unwrap();
        }
        let caller = caller.clone();
        tasks.spawn(async move {
            let body = json!({"pack": "chaos", "title": format!("case {index}"), "fields": {
                "summary": "s", "service": format!("shop-{index}"), "environment": environment, "ending": "resolve"}});
            let (status, answer) = caller.post("/v1/sessions", &format!("open-{index}"), &body).await;
            assert_eq!(status, StatusCode::CREATED, "{answer}");
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// Waits until nothing is at work.
async fn rest(caller: &Caller) {
    let resting = eventually("every session to rest", PATIENCE, || async {
        let (_, page) = caller.get("/v1/sessions?status=in_progress&page_size=1").await;
        page["items"].as_array().is_some_and(Vec::is_empty).then_some(())
    });
    resting.await.unwrap();
}
