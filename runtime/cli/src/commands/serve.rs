//! `provost serve`: the daemon.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use provost_domain::port::Tokens as _;
use provost_engine::SystemClock;
use provost_server::{Parts, Server};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::login_key::login_key;
use crate::args::ServeArgs;
use crate::output::Output;
use crate::wiring::{self, House};

pub(super) async fn run(args: ServeArgs, output: Output) -> Result<ExitCode> {
    let config = wiring::config(&args.config)?;
    let wanted = args.listen.unwrap_or(config.server.listen);
    let listener = TcpListener::bind(wanted).await.with_context(|| {
        format!("cannot listen on {wanted}; is another program there? `--listen 127.0.0.1:0` takes a free port")
    })?;
    let listening = listener.local_addr()?;
    let house = House::open(&config).await?;
    let store = config.store_path();
    let data = store.parent().map_or_else(|| ".".into(), std::path::Path::to_path_buf);
    let server = Server::new(Parts {
        engine: house.engine.clone(),
        tokens: Arc::new(house.store().clone()),
        requests: Arc::new(house.store().clone()),
        clock: Arc::new(SystemClock),
        login_key: login_key(&data)?,
        data,
    });
    let url = format!("http://{listening}");
    output.result(&json!({"listening": url}), &format!("listening on {url}"));
    if house.store().tokens().await?.is_empty() {
        output.line("nobody can come in yet: stop, run `provost tokens create NAME --role admin`, start again");
    }
    let stop = CancellationToken::new();
    let answering = server.serve(listener, stop.clone());
    let ending = async {
        let told = until_told(&stop).await;
        output.line("stopping: what runs is finished, the rest goes on with the next start");
        // Requests that came before may still need the store.
        house.drain().await;
        told
    };
    let (answered, told) = tokio::join!(answering, ending);
    house.end().await;
    told?;
    answered.context("the socket failed")?;
    Ok(ExitCode::SUCCESS)
}

/// Waits for SIGTERM or SIGINT and passes it on.
async fn until_told(stop: &CancellationToken) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stop.cancel();
    Ok(())
}
