//! A running engine with its store.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use prometheus::Registry;
use provost_agents::StandardRoles;
use provost_engine::{Engine, Eraser, ModelGateway, Ports, Resources, SystemClock, SystemRandom, ToolGateway};
use provost_mail::{Attention, AttentionParts, Outgoing, OutgoingParts};
use provost_store::Stores;
use provost_tools::ToolSet;
use tokio_util::sync::CancellationToken;

use super::attention::attention;
use super::config::Configuration;
use super::engine::bounds;
use super::environment::secret;
use super::models::models;
use super::packs::PackSet;
use super::store::store;
use super::tools::{self, Carriers, clock, equip};
use crate::signals::StopSignals;

/// A running engine with its store.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) engine: Engine,
    /// The figures of every part of this process.
    pub(crate) metrics: Registry,
    eraser: Eraser,
    store: Stores,
    outgoing: Option<Outgoing>,
    attention: Option<Attention>,
    drain: Duration,
    told: StopSignals,
}

/// All that sessions work with, checked against each other. The tools are not built yet.
pub(crate) type SessionParts = (PackSet, ModelGateway, ToolSet);

/// Loads all that sessions work with.
pub(crate) fn parts(config: &Configuration) -> Result<SessionParts> {
    Ok((PackSet::load(config)?, models(config, &secret)?, tools::tools(config, &secret)?))
}

impl House {
    /// Takes the store and starts the engine. Its tools send within the call.
    pub(crate) async fn open(config: &Configuration) -> Result<Self> {
        let parts = parts(config)?;
        Self::start(config, parts, store(config).await?, |_, _| Ok(None)).await
    }

    /// The same over a store that this process has taken already.
    pub(crate) async fn over(config: &Configuration, parts: SessionParts, store: Stores) -> Result<Self> {
        Self::start(config, parts, store, |_, _| Ok(None)).await
    }

    /// The same as [`Self::over`], with tools that store what they are to send.
    pub(crate) async fn serving(config: &Configuration, parts: SessionParts, store: Stores) -> Result<Self> {
        let give_up_after = config.outbox.give_up_after;
        let outgoing = |store: &Stores, metrics: &Registry| {
            let (outbox, reads) = (Arc::clone(&store.outbox), Arc::clone(&store.reads.outbox));
            let parts = OutgoingParts { outbox, reads, clock: clock(), give_up_after, metrics: metrics.clone() };
            Outgoing::new(parts).map(Some).context("making the figures")
        };
        Self::start(config, parts, store, outgoing).await
    }

    async fn start(
        config: &Configuration,
        (packs, models, tools): SessionParts,
        store: Stores,
        outgoing: impl FnOnce(&Stores, &Registry) -> Result<Option<Outgoing>>,
    ) -> Result<Self> {
        let bounds = bounds(config.engine);
        #[cfg(feature = "controls")]
        let bounds = super::controls::without(bounds)?;
        let (_, within) = bounds;
        let metrics = Registry::new();
        let outgoing = outgoing(&store, &metrics)?;
        let (tools, carriers) = equip(tools, outgoing.as_ref())?;
        if let Some(outgoing) = &outgoing {
            outgoing.carry_with(carriers);
        }
        let sessions = Arc::clone(&store.log);
        #[cfg(feature = "controls")]
        let sessions = super::controls::store(sessions);
        let ports = Ports {
            store: sessions,
            commands: Arc::clone(&store.commands),
            reads: Arc::clone(&store.reads.sessions),
            roles: Arc::new(StandardRoles),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            metrics: metrics.clone(),
        };
        let told = StopSignals::listen()?;
        packs.keep(&*store.packs).await?;
        let packs = packs.with_pinned(&*store.reads.packs).await?;
        let resources = Resources::new(packs, models, tools).with_outage_budget(config.engine.outage_budget);
        let engine = Engine::start(ports, resources, within).await?;
        let attention = outgoing.as_ref().map(|outgoing| {
            let stands_on = AttentionParts {
                engine: engine.clone(),
                log: Arc::clone(&store.attention),
                outgoing: outgoing.clone(),
                clock: clock(),
                metrics: metrics.clone(),
            };
            Attention::new(stands_on, attention(config)).context("making the figures")
        });
        let attention = attention.transpose()?;
        let eraser = Eraser::new(engine.clone(), Arc::clone(&store.erasure));
        Ok(Self { engine, metrics, eraser, store, outgoing, attention, drain: config.engine.drain, told })
    }

    /// Opens, works and closes in order, also when the work fails.
    pub(crate) async fn within<T>(config: &Configuration, work: impl AsyncFnOnce(&Self) -> Result<T>) -> Result<T> {
        Self::open(config).await?.during(work).await
    }

    /// Works and closes in order, also when the work fails.
    pub(crate) async fn during<T>(self, work: impl AsyncFnOnce(&Self) -> Result<T>) -> Result<T> {
        let result = work(&self).await;
        self.close().await;
        result
    }

    /// Cancelled by a second signal.
    pub(crate) fn told_to_hurry(&self) -> &CancellationToken {
        &self.told.to_hurry
    }

    /// Cancelled by SIGTERM or SIGINT.
    pub(crate) fn told_to_end(&self) -> &CancellationToken {
        &self.told.to_end
    }

    /// What sends messages to the outside, where there is an outbox.
    pub(crate) fn outgoing(&self) -> Option<&Outgoing> {
        self.outgoing.as_ref()
    }

    /// What tells people, where there is an outbox.
    pub(crate) fn attention(&self) -> Option<&Attention> {
        self.attention.as_ref()
    }

    /// What erases sessions of the store.
    pub(crate) fn eraser(&self) -> &Eraser {
        &self.eraser
    }

    /// Builds other tools, for a reload.
    pub(crate) fn equip(&self, tools: ToolSet) -> Result<(ToolGateway, Carriers)> {
        equip(tools, self.outgoing())
    }

    /// The store, for commands that concern no session.
    pub(crate) fn store(&self) -> &Stores {
        &self.store
    }

    /// Takes no new work and finishes what runs, within the configured time or until told to hurry.
    pub(crate) async fn drain(&self) {
        tokio::select! {
            () = self.engine.shutdown(self.drain) => {}
            () = self.told.to_hurry.cancelled() => self.engine.shutdown(Duration::ZERO).await,
        }
    }

    /// Ends in order: engine, then store.
    pub(crate) async fn close(self) {
        self.drain().await;
        self.end().await;
    }

    /// Closes the store, after a drain.
    pub(crate) async fn end(self) {
        self.store.close().await;
    }
}
