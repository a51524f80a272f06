//! The sweep: looks for sessions that must run and has the node carry them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ractor::{ActorRef, call};

use super::messages::ToNode;
use crate::backoff::Backoff;
use crate::parts::EngineParts;
use crate::settings::EngineSettings;
use crate::ticker::{Next, TickFailure, Ticker, TickerSettings};

/// How many sessions one sweep takes: bounds the work of one handler; the next sweep takes the next ones.
const SWEEP_MAX: u32 = 64;
/// After a sweep that found as many as it may, the next one comes so many times sooner: there are more, as after a crash
/// among many sessions. Most of those just found have been taken over by then and are not found again.
const SWEEP_SOONER: u32 = 20;
/// The longest pause after failures, in periods: few, since nothing is carried on meanwhile and the service manager's
/// watchdog waits for a beat.
const BACKOFF_MAX: u32 = 5;
/// How long one sweep may take: shorter than the watchdog's patience, so that one lost answer does not end the process.
const LIMIT: Duration = Duration::from_secs(10);

/// The sweep of one engine.
#[derive(Debug)]
pub(crate) struct Sweep {
    shared: Arc<EngineParts>,
    node: ActorRef<ToNode>,
}

impl Sweep {
    pub(crate) fn new(shared: Arc<EngineParts>, node: ActorRef<ToNode>) -> Self {
        Self { shared, node }
    }
}

#[async_trait]
impl Ticker for Sweep {
    fn settings(&self) -> TickerSettings {
        let EngineSettings { sweep_every: period, sweep_jitter: jitter, .. } = self.shared.settings;
        let backoff = Backoff::doubling(period, period.saturating_mul(BACKOFF_MAX)).with_jitter(jitter);
        TickerSettings { name: "sweep", first: Duration::ZERO, period, jitter, limit: LIMIT, backoff }
    }

    async fn tick(&mut self) -> Result<Next, TickFailure> {
        let shared = &self.shared;
        // Damaged ones are found by every sweep and taken by none: they must not stand before the others.
        let limit = SWEEP_MAX.saturating_add(shared.damages());
        let found = shared.ports.commands.runnable(&shared.owner, shared.now(), limit).await;
        let full = found.as_ref().is_ok_and(|found| found.len() >= limit as usize);
        let sessions =
            found.as_ref().map_or_else(|_| Vec::new(), |found| found.iter().map(|one| one.session).collect());
        // Also where nothing was found: the node tries again what it could not carry, and shows that it is not stuck.
        call!(self.node, ToNode::Found, sessions).map_err(|_gone| TickFailure::new("the node is gone"))?;
        shared.beat();
        found?;
        Ok(if full { Next::After(shared.settings.sweep_every / SWEEP_SOONER) } else { Next::Period })
    }
}
