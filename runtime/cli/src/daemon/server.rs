//! What the daemon consists of, up to its socket.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use provost_engine::{OldestApproval, Retention, Scrub, SystemClock};
use provost_mail::{Intake, IntakeParts, IntakeSettings};
use provost_server::{Parts, Server};

use crate::wiring::{self, Configuration, House};

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

/// Starts what takes in, sends and cleans up, and makes what answers requests.
pub(crate) async fn server(house: &House, config: &Configuration, intake: IntakeSettings) -> Result<Server> {
    let store = house.store();
    let parts = IntakeParts {
        engine: house.engine.clone(),
        deliveries: Arc::clone(&store.deliveries),
        reads: Arc::clone(&store.reads.deliveries),
        clock: Arc::new(SystemClock),
        metrics: house.metrics.clone(),
    };
    let intake = Intake::start(parts, intake).await?;
    intake.keep_time();
    let outgoing = house.outgoing().context("the daemon has no outbox; report this as a bug")?.clone();
    outgoing.start(&house.engine);
    house.attention().context("the daemon tells nobody; report this as a bug")?.start();
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
        rate: config.server.requests.into(),
    });
    server.context("making the figures")
}
