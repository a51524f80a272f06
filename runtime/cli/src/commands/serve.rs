//! `provost serve`: the daemon.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::args::ServeArgs;
use crate::daemon::reload::Reload;
use crate::daemon::socket::{DaemonSocket, SocketPlace};
use crate::daemon::{files, server, socket, supervision, tokens};
use crate::logs::Logs;
use crate::output::Output;
use crate::remote::address::AddressFile;
use crate::remote::trust::require_own;
use crate::wiring::{self, House};

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
    let parts = wiring::parts(&config)?;
    let house = House::serving(&config, parts, wiring::store(&config).await?).await?;
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
    let plan = tokens::plan(&*house.store().reads.tokens, &config.server.tokens, &wiring::secret).await?;
    tokens::apply(stored, plan).await?;
    let DaemonSocket { listening, place } = socket;
    let url = place.to_string();
    let address = match (config.store.file(), &place) {
        (Some(file), SocketPlace::Address(address)) => Some(AddressFile::write(file, *address)),
        (Some(_), SocketPlace::Path(_)) | (None, _) => None,
    };
    let _address = address.transpose().context("writing the address file")?;
    let nobody = stored.tokens().await?.is_empty();
    let stop = house.told_to_end();
    let server = server::server(house, config, config.intake.settings(&wiring::secret)?).await?;
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
