//! The shop as a program: its flags, its socket and its end.

use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::load;
use crate::log::ShopLog;
use crate::process::Listening;
use crate::routes;
use crate::service::ShopService;
use crate::shop::Shop;
use crate::variant::Variant;
use crate::witness::WitnessFile;

/// How long open connections get to finish after a signal; a checkout takes milliseconds.
const GRACE: Duration = Duration::from_secs(2);

/// Bounds of `--window`: below, the figures are noise; above, a demonstration would not see them move.
const WINDOW_MIN: Duration = Duration::from_millis(100);
const WINDOW_MAX: Duration = Duration::from_mins(10);

/// Flags of the hidden subcommand that runs the shop.
#[derive(Debug, clap::Args)]
pub struct ShopArgs {
    /// What is wrong with the shop, and what helps
    #[arg(long, value_enum, default_value_t)]
    variant: Variant,
    /// The JSON-lines log file, appended to
    #[arg(long, value_name = "FILE")]
    log: PathBuf,
    /// Keep the shop's own counts in this file, replaced whole at each admin or on-call request
    #[arg(long, value_name = "FILE")]
    witness: Option<PathBuf>,
    /// The loopback port; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How far back the error ratio and the latency look, such as 5s
    #[arg(long, default_value = "5s", value_parser = parse_window)]
    window: Duration,
    /// Checkouts per second by the shop's own load loop; 0 for none
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=1000))]
    rate: u32,
    /// End when standard input ends, that is, when the parent does
    #[arg(long)]
    with_parent: bool,
}

/// Serves the shop until a signal, or the parent's end, stops it. Starts a runtime of its own: call it outside of one.
pub fn run(args: ShopArgs) -> anyhow::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("failed to start the runtime")?;
    runtime.block_on(serve(args))
}

async fn serve(args: ShopArgs) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    stop_on_signal(&tasks, &stop)?;
    if args.with_parent {
        stop_with_parent(stop.clone());
    }

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port))
        .await
        .with_context(|| format!("failed to listen on port {}: choose another", args.port))?;
    let service = ShopService::start(
        Shop::new(args.variant, args.window, Timestamp::now()),
        ShopLog::open(args.log).await?,
        args.witness.map(WitnessFile::new),
    );
    let service = Arc::new(service.await?);
    announce(&Listening {
        listening: format!("http://{}", listener.local_addr()?),
        log: service.log().path().to_owned(),
    })?;

    tasks.spawn(load::drive(Arc::clone(&service), args.rate, tasks.clone(), stop.clone()));
    let serving = axum::serve(listener, routes::router(service)).with_graceful_shutdown(stop.clone().cancelled_owned());
    tokio::select! {
        served = async { serving.await } => served.context("failed to serve")?,
        () = expired(&stop) => {}
    }
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    Ok(())
}

/// Returns [`GRACE`] after `stop`: a connection that never ends must not keep the process.
async fn expired(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(GRACE).await;
}

fn stop_on_signal(tasks: &TaskTracker, stop: &CancellationToken) -> anyhow::Result<()> {
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind).context("failed to watch for signals")?;
        let stop = stop.clone();
        tasks.spawn(async move {
            stop.clone().run_until_cancelled(signals.recv()).await;
            stop.cancel();
        });
    }
    Ok(())
}

/// Stops when standard input ends. A thread of its own, which nobody joins: a blocking read on the runtime's pool would
/// keep a shutdown by signal waiting for the parent.
fn stop_with_parent(stop: CancellationToken) {
    std::thread::spawn(move || {
        // An unreadable input means the same as an ended one: nobody holds the other end.
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).unwrap_or_default();
        stop.cancel();
    });
}

/// Tells on standard output that requests are taken from now on.
fn announce(listening: &Listening) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", serde_json::to_string(listening)?)
        .and_then(|()| out.flush())
        .context("failed to announce the address on standard output")
}

fn parse_window(text: &str) -> Result<Duration, String> {
    let window = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if (WINDOW_MIN..=WINDOW_MAX).contains(&window) {
        Ok(window)
    } else {
        Err("a window is 100ms to 10m long".to_owned())
    }
}
