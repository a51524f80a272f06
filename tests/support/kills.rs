//! kill -9 at random instants of an incident: the session goes on, nothing is lost, nothing happens twice.
//!
//! Instants are shares of an undisturbed incident's measured length, so that they fall into the same work on a fast machine
//! and on a slow one. The shop itself witnesses the effects.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::desk::last_line;
use crate::eventually::eventually;
use crate::shop::Shop;

/// Commands that carry a killed session on; far more than any needs.
const STEPS_MAX: u32 = 12;
/// Only how long a failing campaign takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// A person who is not the requester.
const APPROVER: [&str; 2] = ["--as", "alice"];

/// How long the parts of an undisturbed incident take.
#[derive(Debug, Clone, Copy)]
pub struct Lengths {
    /// `run`, until the session waits for its approval.
    run: Duration,
    /// `approve`, until the shop has counted the rollback.
    fix: Duration,
    /// The rest of `approve`: the watcher looks, the session is resolved.
    watch: Duration,
}

/// Which command is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Run,
    Approve,
}

/// What became of one killed incident.
#[derive(Debug)]
pub struct Ending {
    /// Where the kill struck, for people.
    pub instant: String,
    /// Whether the command was still running; if not, nothing was tried.
    killed: bool,
    /// Whether a person had to say if a call had happened.
    pub doubted: bool,
    /// The status at the end; `None` when the kill came before there was a session.
    pub status: Option<String>,
}

/// Instants as shares of the incident, one from each of `count` equal parts of `from..to`; the same seed gives the same.
pub fn shares(seed: u64, count: u32, from: f64, to: f64) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(seed);
    let part = (to - from) / f64::from(count);
    (0..count).map(|index| (f64::from(index) + random.f64()).mul_add(part, from)).collect()
}

impl Lengths {
    /// Walks an incident without a kill.
    pub async fn measure() -> Self {
        let shop = Shop::start("heals-on-rollback").await;
        let began = Instant::now();
        assert_eq!(shop.last(&["run", "incident", "--input", &shop.alert()]).await["status"], "awaiting_input");
        let run = began.elapsed();
        let approval = pending(&shop).await.unwrap();
        let began = Instant::now();
        let child = shop.command(&["approvals", "approve", &approval, "--as", "alice"]).spawn().unwrap();
        let counted = || std::future::ready((shop.witness().0 == 1).then_some(()));
        eventually("the rollback", PATIENCE, counted).await.unwrap();
        let fix = began.elapsed();
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
        assert_eq!(last_line(&output)["status"], "resolved");
        Self { run, fix, watch: began.elapsed().saturating_sub(fix) }
    }

    /// For a machine that has become faster since.
    fn halved(self) -> Self {
        Self { run: self.run / 2, fix: self.fix / 2, watch: self.watch / 2 }
    }

    /// A third of the shares falls into each part.
    fn instant(self, share: f64) -> (Step, Duration) {
        let thirds = share * 3.0;
        match thirds {
            ..1.0 => (Step::Run, self.run.mul_f64(thirds)),
            ..2.0 => (Step::Approve, self.fix.mul_f64(thirds - 1.0)),
            _ => (Step::Approve, self.fix + self.watch.mul_f64(thirds - 2.0)),
        }
    }
}

/// Walks a fresh incident, kills it once at this share of its length, carries it on to its end, and checks what must hold:
/// at most one rollback, a clean audit, an end that fits what the shop saw. Again and earlier where the kill came too late.
pub async fn kill_at(mut lengths: Lengths, share: f64) -> Ending {
    loop {
        let ending = walk(lengths, share).await;
        if ending.killed {
            return ending;
        }
        lengths = lengths.halved();
    }
}

async fn walk(lengths: Lengths, share: f64) -> Ending {
    let shop = Shop::start("heals-on-rollback").await;
    let (step, after) = lengths.instant(share);
    let instant = format!("{step:?} after {after:?}");
    let input = shop.alert();
    let run = ["run", "incident", "--input", &input];
    let mut killed = false;
    match step {
        Step::Run => killed = shop.run_and_kill(&run, after).await,
        Step::Approve => drop(shop.run(&run).await),
    }
    let mut ending = Ending { instant, killed, doubted: false, status: None };
    for _ in 0..STEPS_MAX {
        let Some(row) = first_session(&shop).await else { return ending };
        match row["status"].as_str().unwrap() {
            "in_progress" => drop(shop.run(&["sessions", "continue"]).await),
            "awaiting_input" => wait_ended(&shop, &row, (step == Step::Approve).then_some(after), &mut ending).await,
            status => {
                ending.status = Some(status.to_owned());
                check(&shop, &ending).await;
                return ending;
            }
        }
    }
    panic!("{}: no end after {STEPS_MAX} commands: {:?}", ending.instant, first_session(&shop).await);
}

/// Ends a wait as a person would: settles a doubtful call by what the shop counted, or approves, under the kill the first
/// time.
async fn wait_ended(shop: &Shop, row: &Value, kill: Option<Duration>, ending: &mut Ending) {
    let handle = row["handle"].as_str().unwrap();
    let shown = shop.last(&["sessions", "show", handle]).await;
    let doubtful = shown["outcomes_unknown"].as_object().and_then(|unknown| unknown.keys().next());
    if let Some(call) = doubtful {
        ending.doubted = true;
        let truth = if shop.witness().0 == 1 { "happened" } else { "did-not-happen" };
        shop.run(&["sessions", "settle", handle, call, truth]).await;
        return;
    }
    let Some(approval) = pending(shop).await else { panic!("{}: waits for nothing: {shown}", ending.instant) };
    let approve = [&["approvals", "approve", &approval][..], &APPROVER].concat();
    match kill.filter(|_| !ending.killed) {
        Some(after) => ending.killed = shop.run_and_kill(&approve, after).await,
        None => drop(shop.run(&approve).await),
    }
}

async fn check(shop: &Shop, ending: &Ending) {
    let (rollbacks, oncall) = shop.witness();
    assert!(rollbacks <= 1 && oncall <= 1, "{ending:?}: {rollbacks} rollbacks, {oncall} notifications");
    match ending.status.as_deref() {
        Some("resolved") => assert_eq!(rollbacks, 1, "{ending:?}: resolved without the fix"),
        Some("escalated") => assert_eq!(oncall, 1, "{ending:?}: escalated, and nobody was told"),
        other => panic!("{ending:?}: ended as {other:?}"),
    }
    assert_eq!(shop.last(&["audit", "verify"]).await["problems"], 0, "{ending:?}");
}

/// The one session there is. Before there is a store, the command fails.
async fn first_session(shop: &Shop) -> Option<Value> {
    let output = shop.run(&["sessions", "list"]).await;
    output.status.success().then(|| last_line(&output)[0].clone()).filter(Value::is_object)
}

async fn pending(shop: &Shop) -> Option<String> {
    let approvals = shop.last(&["approvals", "list"]).await;
    approvals[0]["approval"].as_str().map(str::to_owned)
}
