//! `provost serve`: the daemon.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use provost_engine::{OldestApproval, Retention, Scrub, SystemClock};
use provost_mail::{Intake, IntakeParts};
use provost_server::{Parts, Server};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::ServeArgs;
use crate::daemon::reload::Reload;
use crate::daemon::socket::{DaemonSocket, SocketPlace};
use crate::daemon::{files, socket, supervision, tokens};
use crate::logs::Logs;
use crate::output::Output;
use crate::remote::address::AddressFile;
use crate::remote::trust::require_own;
use crate::wiring::{self, Configuration, House};

/// How long callers may take for the answers they still get once everything is drained.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

pub(super) async fn run(args: ServeArgs, output: Output, logs: Logs) -> Result<ExitCode> {
    // From now on it does not end the process.
    let mut hangup = signal(SignalKind::hangup())?;
    let config = wiring::config(&args.config)?;
    logs.follow(logs.wanted(config.log.filter.as_deref())?);
    files::raise_limit();
    let socket = socket::socket(args.listen.unwrap_or(config.server.listen))?;
    config.store.file().map_or(Ok(()), require_own)?;
    let house = House::serving(&config).await?;
    let work = async |house: &House| {
        let reload = Reload { args: &args.config, started: &config, house, logs: &logs };
        tokio::select! {
            answered = answer(socket, &reload, &mut hangup, output) => answered,
            never = supervision::feed(house.engine.beats()) => match never {},
        }
    };
    house.during(work).await
}

/// Answers requests until told to end, or until the store fails; then drains.
async fn answer(socket: DaemonSocket, reload: &Reload<'_>, hangup: &mut Signal, output: Output) -> Result<ExitCode> {
    let (house, config) = (reload.house, reload.started);
    let stored = &*house.store().tokens;
    tokens::apply(stored, tokens::plan(stored, &config.server.tokens).await?).await?;
    let DaemonSocket { listening, place } = socket;
    let url = place.to_string();
    let address = match (config.store.file(), &place) {
        (Some(file), SocketPlace::Address(address)) => Some(AddressFile::write(file, *address)),
        (Some(_), SocketPlace::Path(_)) | (None, _) => None,
    };
    let _address = address.transpose().context("writing the address file")?;
    let nobody = stored.tokens().await?.is_empty();
    let stop = house.told_to_end();
    let server = server(house, config).await?;
    // Nothing can fail any more before it answers.
    let answering = server.serve(listening, stop.clone());
    output.result(&json!({"listening": url}), &format!("listening on {url}"));
    if nobody {
        output.line("nobody can come in yet: stop, run `provost tokens create NAME --role admin`, start again");
    }
    supervision::ready(&format!("listening on {url}"));
    let ending = async {
        let died = loop {
            tokio::select! {
                () = stop.cancelled() => break None,
                error = house.store().died() => break Some(error),
                _ = hangup.recv() => reload.run().await,
            }
        };
        supervision::stopping(config.engine.drain);
        output.line("stopping: what runs is finished, the rest goes on with the next start");
        stop.cancel();
        // Requests that came before may still need the store.
        house.drain().await;
        died
    };
    let died = {
        tokio::pin!(answering, ending);
        tokio::select! {
            answered = &mut answering => {
                answered.context("the socket failed")?;
                ending.await
            }
            died = &mut ending => {
                // A caller that neither finishes its request nor reads its stream is not waited for.
                tokio::select! {
                    answered = tokio::time::timeout(LAST_ANSWERS, answering) => {
                        answered.unwrap_or(Ok(())).context("the socket failed")?;
                    }
                    () = house.told_to_hurry().cancelled() => {}
                }
                died
            }
        }
    };
    match died {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Starts everything periodic beside the engine's own sweep.
fn tick(house: &House, config: &Configuration) -> Result<()> {
    let (eraser, ages) = (house.eraser(), wiring::retention(config.retention));
    drop(house.engine.start_ticker(Scrub::new(eraser.clone(), ages.every)));
    let retention = Retention::new(eraser.clone(), Arc::new(SystemClock), ages, &house.metrics)?;
    drop(house.engine.start_ticker(retention));
    let oldest = OldestApproval::new(Arc::clone(house.engine.reads()), Arc::new(SystemClock), &house.metrics)?;
    drop(house.engine.start_ticker(oldest));
    Ok(())
}

async fn server(house: &House, config: &Configuration) -> Result<Server> {
    let store = house.store();
    let parts = IntakeParts {
        engine: house.engine.clone(),
        deliveries: Arc::clone(&store.deliveries),
        reads: Arc::clone(&store.reads.deliveries),
        clock: Arc::new(SystemClock),
        metrics: house.metrics.clone(),
    };
    let intake = Intake::start(parts, config.intake.settings(&wiring::variable)?).await?;
    let outgoing = house.outgoing().context("the daemon has no outbox; report this as a bug")?.clone();
    outgoing.start(&house.engine);
    tick(house, config)?;
    let data = config.store.folder().unwrap_or(Path::new(".")).to_path_buf();
    let server = Server::new(Parts {
        engine: house.engine.clone(),
        tokens: Arc::clone(&store.tokens),
        requests: Arc::clone(&store.requests),
        clock: Arc::new(SystemClock),
        intake,
        outgoing,
        eraser: house.eraser().clone(),
        metrics: house.metrics.clone(),
        page_sessions: Arc::clone(&store.page_sessions),
        data,
    });
    server.context("making the figures")
}
