//! `provost serve`: the daemon.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use provost_domain::port::Tokens as _;
use provost_engine::SystemClock;
use provost_packs::Config;
use provost_server::{Intake, IntakeParts, Parts, Server};
use serde_json::json;
use tokio::net::TcpListener;

use crate::args::ServeArgs;
use crate::output::Output;
use crate::wiring::{self, House};

pub(super) async fn run(args: ServeArgs, output: Output) -> Result<ExitCode> {
    let config = wiring::config(&args.config)?;
    let wanted = args.listen.unwrap_or(config.server.listen);
    let listener = TcpListener::bind(wanted).await.with_context(|| {
        format!("cannot listen on {wanted}; is another program there? `--listen 127.0.0.1:0` takes a free port")
    })?;
    House::within(&config, async |house| answer(&config, listener, house, output).await).await
}

/// Answers requests until told to end, or until the store fails.
async fn answer(config: &Config, listener: TcpListener, house: &House, output: Output) -> Result<ExitCode> {
    let url = format!("http://{}", listener.local_addr()?);
    let store = config.store_path();
    let parts = IntakeParts {
        engine: house.engine.clone(),
        deliveries: Arc::new(house.store().clone()),
        reads: Arc::new(house.store().reads()),
        clock: Arc::new(SystemClock),
    };
    let intake = Intake::start(parts, wiring::intake(config)?).await?;
    let server = Server::new(Parts {
        engine: house.engine.clone(),
        tokens: Arc::new(house.store().clone()),
        requests: Arc::new(house.store().clone()),
        clock: Arc::new(SystemClock),
        intake,
        data: store.parent().map_or_else(|| ".".into(), std::path::Path::to_path_buf),
    });
    output.result(&json!({"listening": url}), &format!("listening on {url}"));
    if house.store().tokens().await?.is_empty() {
        output.line("nobody can come in yet: stop, run `provost tokens create NAME --role admin`, start again");
    }
    let stop = house.told_to_end();
    let answering = server.serve(listener, stop.clone());
    let ending = async {
        let died = tokio::select! {
            () = stop.cancelled() => None,
            error = house.store().died() => Some(error),
        };
        output.line("stopping: what runs is finished, the rest goes on with the next start");
        stop.cancel();
        // Requests that came before may still need the store.
        house.drain().await;
        died
    };
    let (answered, died) = tokio::join!(answering, ending);
    answered.context("the socket failed")?;
    match died {
        Some(error) => Err(error.into()),
        None => Ok(ExitCode::SUCCESS),
    }
}
