//! One delivery of very many alerts: what it becomes, how long that takes, and the memory it needs.

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use provost_domain::access::AccessRole;
use provost_domain::port::{DeliveryReads as _, SessionFilter};
use provost_store::SqliteReads;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, interval};

use crate::face::Face;
use crate::machine;
use crate::parts::BenchModel;
use crate::run::{Kind, Subject};

/// How often is looked whether all is worked off.
const LOOK_EVERY: Duration = Duration::from_millis(2);

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Storm {
    /// Alerts of the delivery.
    #[arg(long, default_value_t = 10_000)]
    alerts: u32,
    /// Services they are spread over; each is a case of its own.
    #[arg(long, default_value_t = 500)]
    services: u32,
}

impl Storm {
    fn body(self, services: u32) -> String {
        let alert = |n: u32| {
            let labels = json!({"alertname": "A", "environment": "production", "pod": format!("web-{n}"),
                "service": format!("shop-{}", n % services.max(1))});
            json!({"status": "firing", "labels": labels, "startsAt": "2026-01-01T00:00:00Z",
                "fingerprint": format!("{n:016x}"),
                "annotations": {"summary": "it hurts", "description": "x".repeat(200)}})
        };
        let alerts: Vec<Value> = (0..self.alerts).map(alert).collect();
        json!({"version": "4", "groupKey": services.to_string(), "status": "firing", "receiver": "r", "alerts": alerts})
            .to_string()
    }
}

/// Sends a storm of one case, then one over all services.
pub(crate) async fn storm(storm: Storm) -> Result<Value> {
    Ok(json!({
        "one_case": delivered(storm.body(1)).await?,
        "many_cases": delivered(storm.body(storm.services)).await?,
    }))
}

async fn delivered(body: String) -> Result<Value> {
    let subject = Subject::open(Kind::Sqlite, BenchModel::default(), 256).await?;
    let face = Face::open(&subject, AccessRole::Intake).await?;
    let (bytes, before) = (body.len(), machine::resident_kib()?);
    machine::forget_peak()?;
    let client = provost_http::client(None)?.build()?;
    let began = Instant::now();
    let request = client.post(format!("http://{}/hooks/alertmanager", face.address)).bearer_auth(&face.secret);
    let answer = request.body(body).send().await?;
    let answered = began.elapsed();
    ensure!(answer.status().is_success(), "the delivery was answered {}", answer.status());
    let reads = subject.sqlite()?.reads();
    until_worked_off(&reads).await?;
    let worked_off = began.elapsed();
    let peak = machine::peak_kib()?;
    face.close().await?;
    let sessions = subject.engine.reads().sessions(&SessionFilter { limit: 500, ..SessionFilter::default() }).await?;
    let signals = signals(&subject, &sessions.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
    subject.close().await;
    Ok(json!({
        "body_bytes": bytes, "answered_after_ms": answered.as_millis(), "worked_off_after_ms": worked_off.as_millis(),
        "sessions": sessions.len(), "alerts_told_to_sessions": signals,
        "resident_before_kib": before, "resident_peak_kib": peak,
    }))
}

async fn until_worked_off(reads: &SqliteReads) -> Result<()> {
    let mut pauses = interval(LOOK_EVERY);
    while !reads.waiting().await?.is_empty() {
        pauses.tick().await;
    }
    Ok(())
}

/// How many alerts the sessions were told of besides those that opened them.
async fn signals(subject: &Subject, sessions: &[provost_domain::ids::SessionId]) -> Result<u64> {
    let mut told = 0;
    for session in sessions {
        let events = provost_tests::house::events(&**subject.engine.reads(), *session).await;
        for event in events {
            let event = serde_json::to_value(&event.body).context("an event is JSON")?;
            told += event.pointer("/data/payload/joined/count").and_then(Value::as_u64).unwrap_or_default();
        }
    }
    Ok(told)
}
