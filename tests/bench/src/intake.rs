//! Deliveries over HTTP at a steady rate, whatever the answers take: a slow answer delays no later request, and its time
//! counts from when it was to be sent.

use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;
use provost_domain::access::AccessRole;
use provost_domain::port::{DeliveryFilter, DeliveryReads as _, DeliveryState, SessionFilter};
use provost_store::SqliteReads;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};

use crate::face::Face;
use crate::machine;
use crate::parts::BenchModel;
use crate::run::{Kind, Subject};

/// How often requests are sent; those of one tick go out together.
const TICK: Duration = Duration::from_millis(2);

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Load {
    /// Deliveries per second.
    #[arg(long, default_value_t = 2_000)]
    rate: u32,
    /// How long, in seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Groups they belong to; each is one session.
    #[arg(long, default_value_t = 100)]
    groups: u32,
}

fn delivery(group: u32) -> Value {
    let labels = json!({"alertname": "A", "service": format!("shop-{group}"), "environment": "production"});
    json!({"version": "4", "groupKey": group.to_string(), "status": "firing", "receiver": "r",
        "alerts": [{"status": "firing", "labels": labels, "annotations": {"summary": "it hurts"},
            "startsAt": "2026-01-01T00:00:00Z", "fingerprint": group.to_string()}]})
}

/// Runs the load and returns its figures.
pub(crate) async fn intake(load: Load) -> Result<Value> {
    let fdatasync = machine::fdatasync_probe()?;
    let subject = Subject::open(Kind::Sqlite, BenchModel::default(), 256).await?;
    let face = Face::open(&subject, AccessRole::Intake).await?;
    let url = format!("http://{}/hooks/alertmanager", face.address);
    let sent = send(load, &url, &face.secret).await?;
    let worked = Instant::now();
    let reads = subject.sqlite()?.reads();
    let mut pauses = interval(TICK);
    while !reads.waiting().await?.is_empty() {
        pauses.tick().await;
    }
    let worked_off = worked.elapsed();
    face.close().await?;
    let stored = stored(&reads).await?;
    let sessions = subject.engine.reads().sessions(&SessionFilter { limit: 500, ..SessionFilter::default() }).await?;
    ensure!(stored == sent.accepted, "{stored} deliveries are stored, {} were accepted", sent.accepted);
    subject.close().await;
    Ok(json!({
        "fdatasync_us": fdatasync, "rate_wanted": load.rate, "rate": sent.rate().round(), "sent": sent.requests,
        "accepted": sent.accepted, "stored": stored, "sessions": sessions.len(), "groups": load.groups,
        "p50_ms": sent.quantile(0.5), "p99_ms": sent.quantile(0.99), "max_ms": sent.quantile(1.0),
        "worked_off_after_ms": worked_off.as_millis(),
    }))
}

/// What was sent and how it was answered.
struct Sent {
    requests: u64,
    accepted: u64,
    took: Duration,
    /// From when each was to be sent until its answer was read, sorted.
    times: Vec<Duration>,
}

impl Sent {
    fn rate(&self) -> f64 {
        f64::from(u32::try_from(self.accepted).unwrap_or(u32::MAX)) / self.took.as_secs_f64()
    }

    /// In milliseconds.
    fn quantile(&self, part: f64) -> Option<f64> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a rank"
        )]
        let rank = (self.times.len().saturating_sub(1) as f64 * part).round() as usize;
        self.times.get(rank).map(|time| (time.as_secs_f64() * 10_000.0).round() / 10.0)
    }
}

async fn send(load: Load, url: &str, secret: &str) -> Result<Sent> {
    let client = provost_http::client(None)?.build()?;
    let bodies: Vec<String> = (0..load.groups.max(1)).map(|group| delivery(group).to_string()).collect();
    let total = u64::from(load.rate) * u64::from(load.seconds);
    let (began, mut ticks) = (Instant::now(), interval(TICK));
    let (mut answers, mut sent) = (JoinSet::new(), 0);
    while sent < total {
        let due_at = ticks.tick().await;
        let elapsed = due_at.saturating_duration_since(began);
        let due = u64::try_from(elapsed.as_micros() * u128::from(load.rate) / 1_000_000)?.min(total);
        while sent < due {
            let body = bodies.get(usize::try_from(sent)? % bodies.len()).cloned().unwrap_or_default();
            let request = client.post(url).bearer_auth(secret).body(body);
            answers.spawn(async move {
                let answer = request.send().await;
                (answer.is_ok_and(|answer| answer.status().is_success()), due_at.elapsed())
            });
            sent += 1;
        }
    }
    let answers = answers.join_all().await;
    let took = began.elapsed();
    let accepted = answers.iter().filter(|(accepted, _)| *accepted).count() as u64;
    let mut times: Vec<Duration> = answers.into_iter().map(|(_, time)| time).collect();
    times.sort_unstable();
    Ok(Sent { requests: sent, accepted, took, times })
}

/// How many deliveries the store has worked on.
async fn stored(reads: &SqliteReads) -> Result<u64> {
    let (mut count, mut before) = (0, None);
    loop {
        let filter = DeliveryFilter { state: Some(DeliveryState::Done), before, limit: 500 };
        let page = reads.deliveries(&filter).await?;
        let Some(last) = page.last() else { return Ok(count) };
        count += page.len() as u64;
        before = Some(last.seq);
    }
}
