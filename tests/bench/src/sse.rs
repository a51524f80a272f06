//! One busy session whose stream many read: what they take from its throughput, and from the memory when they do not read.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use provost_domain::access::AccessRole;
use provost_domain::ids::{Seq, SessionId};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::crowd::{Crowd, Seen};
use crate::face::Face;
use crate::machine;
use crate::parts::BenchModel;
use crate::run::{Kind, Subject};

/// Unmeasured, so that caches and the allocator have settled.
const WARM_UP: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Load {
    /// Readers of the session's stream.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    clients: u32,
    /// Rounds without and with them, in turns; medians are compared.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long a round is, in seconds.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// How long the paced session's model thinks about each answer, in milliseconds.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    thinks_ms: u32,
    /// How long readers that never read are there, in seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    silent_seconds: u32,
}

/// Runs the load and returns its figures.
pub(crate) async fn sse(load: Load) -> Result<Value> {
    let thinks = Duration::from_millis(load.thinks_ms.into());
    Ok(json!({
        "fdatasync_us": machine::fdatasync_probe()?, "clients": load.clients, "thinks_ms": load.thinks_ms,
        "paced": compare(load, thinks).await?,
        "unpaced": compare(load, Duration::ZERO).await?,
        "never_reading": silent(load).await?,
    }))
}

/// A session that goes on until its engine ends.
struct Busy {
    subject: Subject,
    face: Face,
    session: SessionId,
}

impl Busy {
    async fn begin(thinks: Duration) -> Result<Self> {
        let model = BenchModel { again: AtomicU32::new(u32::MAX), thinks, ..BenchModel::default() };
        let subject = Subject::open(Kind::Sqlite, model, 8).await?;
        let face = Face::open(&subject, AccessRole::Viewer).await?;
        let case = Subject::case();
        let session = case.id;
        subject.engine.open(case).await?;
        let busy = Self { subject, face, session };
        busy.rate(WARM_UP).await?;
        Ok(busy)
    }

    async fn head(&self) -> Result<Seq> {
        Ok(self.subject.engine.reads().session(self.session).await?.head_seq)
    }

    async fn come(&self, count: u32, silent: bool) -> Result<Crowd> {
        Crowd::come(&self.face, self.session, self.head().await?, count as usize, silent).await
    }

    /// Events per second over a time.
    async fn rate(&self, during: Duration) -> Result<f64> {
        let (began, before) = (Instant::now(), self.head().await?);
        sleep(during).await;
        let events = u32::try_from(self.head().await?.0 - before.0)?;
        Ok(f64::from(events) / began.elapsed().as_secs_f64())
    }

    async fn end(self) -> Result<()> {
        self.subject.close().await;
        self.face.close().await
    }
}

/// Rounds without and with readers.
async fn compare(load: Load, thinks: Duration) -> Result<Value> {
    let busy = Busy::begin(thinks).await?;
    let during = Duration::from_secs(load.seconds.into());
    let (mut alone, mut watched) = (Vec::new(), Vec::new());
    let (mut sums, mut lags) = (Seen::default(), Vec::new());
    let (mut cpu_alone, mut cpu_watched) = (Duration::ZERO, Duration::ZERO);
    for round in 1..=load.rounds {
        progress(&format!("a model that thinks for {thinks:?}: round {round} of {}", load.rounds));
        let cpu = machine::cpu()?;
        alone.push(busy.rate(during).await?);
        cpu_alone += machine::cpu()?.saturating_sub(cpu);
        let crowd = busy.come(load.clients, false).await?;
        let cpu = machine::cpu()?;
        watched.push(busy.rate(during).await?);
        cpu_watched += machine::cpu()?.saturating_sub(cpu);
        let seen = crowd.leave(busy.head().await?).await?;
        sums.bytes += seen.bytes;
        sums.cpu_ms += seen.cpu_ms;
        sums.events += seen.events;
        lags.push(seen.lag_ms);
    }
    busy.end().await?;
    let (before, with) = (median(&mut alone), median(&mut watched));
    Ok(json!({
        "events_per_s_alone": before.round(), "events_per_s_watched": with.round(),
        "ratio": (with / before * 1_000.0).round() / 1_000.0,
        "alone": rounded(&alone), "watched": rounded(&watched),
        "events_each_reader_saw": sums.events, "mib_read": sums.bytes / 1024 / 1024, "lag_ms_max": lags.iter().max(),
        "server_cpu_ms_alone": cpu_alone.as_millis(), "server_cpu_ms_watched": cpu_watched.as_millis(),
        "readers_cpu_ms": sums.cpu_ms,
    }))
}

/// The server's resident memory while more and more readers never read. One reader reads, to say what the others missed.
async fn silent(load: Load) -> Result<Value> {
    let busy = Busy::begin(Duration::ZERO).await?;
    let during = Duration::from_secs(load.silent_seconds.into());
    let mut rows = Vec::new();
    for count in [0, 0, load.clients / 5, load.clients] {
        progress(&format!("{count} readers that never read"));
        let reader = busy.come(1, false).await?;
        let crowd = busy.come(count, true).await?;
        busy.rate(during).await?;
        let resident = machine::resident_kib()?;
        crowd.leave(Seq(0)).await?;
        let seen = reader.leave(busy.head().await?).await?;
        rows.push(json!({
            "silent": count, "resident_kib": resident, "events": seen.events, "kib_missed_each": seen.bytes / 1024,
        }));
    }
    busy.end().await?;
    Ok(rows.into())
}

fn median(rates: &mut [f64]) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}

fn rounded(rates: &[f64]) -> Vec<f64> {
    rates.iter().map(|rate| rate.round()).collect()
}

/// Where a person waits.
fn progress(line: &str) {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        // A terminal that went away does not matter.
        drop(writeln!(stderr, "{line}"));
    }
}
