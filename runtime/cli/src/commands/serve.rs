//! `provost serve`: the daemon.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use provost_domain::port::Tokens as _;
use provost_engine::SystemClock;
use provost_packs::Config;
use provost_server::{Parts, Server};
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::args::ServeArgs;
use crate::daemon::reload::Reload;
use crate::daemon::signals::{Signals, Told};
use crate::daemon::{socket, supervision, tokens};
use crate::logs::Logs;
use crate::output::Output;
use crate::remote::address::AddressFile;
use crate::wiring::{self, House};

pub(super) async fn run(args: ServeArgs, output: Output, logs: Logs) -> Result<ExitCode> {
    let mut signals = Signals::new()?;
    let config = wiring::config(&args.config)?;
    logs.follow(logs.wanted(config.log.filter.as_deref())?);
    let listener = socket::listener(args.listen.unwrap_or(config.server.listen)).await?;
    let house = House::open(&config).await?;
    let served = {
        let reload = Reload { args: &args.config, started: &config, house: &house, logs: &logs };
        let serving = serve(listener, &reload, &mut signals, output);
        tokio::select! {
            served = serving => served,
            never = supervision::feed(house.engine.beats()) => match never {},
        }
    };
    house.close().await;
    served?;
    Ok(ExitCode::SUCCESS)
}

/// Answers until told to stop, then drains.
async fn serve(listener: TcpListener, reload: &Reload<'_>, signals: &mut Signals, output: Output) -> Result<()> {
    let (house, config) = (reload.house, reload.started);
    let plan = tokens::plan(house.store(), &config.server.tokens).await?;
    tokens::apply(house.store(), plan).await?;
    let listening = listener.local_addr()?;
    let url = format!("http://{listening}");
    let _address = AddressFile::write(&config.store_path(), listening).context("writing the address file")?;
    output.result(&json!({"listening": url}), &format!("listening on {url}"));
    if house.store().tokens().await?.is_empty() {
        output.line("nobody can come in yet: stop, run `provost tokens create NAME --role admin`, start again");
    }
    let stop = CancellationToken::new();
    let server = server(house, config)?;
    let answering = server.serve(listener, stop.clone());
    supervision::ready(&format!("listening on {url}"));
    let ending = async {
        while signals.next().await == Told::Reload {
            reload.run().await;
        }
        stop.cancel();
        supervision::stopping(config.engine.drain);
        output.line("stopping: what runs is finished, the rest goes on with the next start");
        // Requests that came before may still need the store.
        house.drain().await;
    };
    let (answered, ()) = tokio::join!(answering, ending);
    answered.context("the socket failed")
}

fn server(house: &House, config: &Config) -> Result<Server> {
    let server = Server::new(Parts {
        engine: house.engine.clone(),
        tokens: Arc::new(house.store().clone()),
        requests: Arc::new(house.store().clone()),
        clock: Arc::new(SystemClock),
        data: config.store_path().parent().map_or_else(|| ".".into(), std::path::Path::to_path_buf),
    });
    server.context("making the figures")
}
