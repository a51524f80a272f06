//! Puts the parts together: configuration, packs, tools, models, store, engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use provost_agents::StandardRoles;
use provost_domain::failure::ModelFailure;
use provost_domain::ids::{Digest, Handle, SessionId, ToolName};
use provost_domain::port::{Carrier, Clock, ModelProvider, Outbox, Prunable, Reads};
use provost_domain::tool::Catalog;
use provost_engine::{
    Engine, EngineSettings, Eraser, ModelGateway, ModelLimits, Ports, RetentionSettings, SystemClock, SystemRandom,
    ToolGateway,
};
use provost_model::{KeySource, OpenAiProvider, OpenAiSettings, ScriptedProvider, read_key};
use provost_packs::{Age, Config, IntakeConfig, Model, NotifyTarget, RetentionConfig, SecretPlace, load_config};
use provost_server::{IntakeSettings, Outgoing, OutgoingParts, REQUESTS_KEPT, Source, SourceSettings};
use provost_store::{Limits, SqliteReads, SqliteStore};
use provost_tools::{NotifySettings, ToolsSettings};
use secrecy::{ExposeSecret as _, SecretString};
use tokio_util::sync::CancellationToken;

use crate::args::ConfigArgs;
use crate::packs::Configured;
use crate::signals::Told;

/// A running engine with its store.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) engine: Engine,
    store: SqliteStore,
    outgoing: Option<Outgoing>,
    drain: Duration,
    told: Told,
}

/// The configuration a command works with.
pub(crate) fn config(args: &ConfigArgs) -> Result<Config> {
    let mut config = load_config(&args.config, &variable)?;
    if let Some(store) = &args.store {
        config.store = format!("sqlite://{}", store.display());
    }
    Ok(config)
}

/// A variable of the environment.
#[expect(clippy::disallowed_methods, reason = "the environment is read here and nowhere else")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
/// Reads a secret from its place.
type ReadSecret<'a> = &'a dyn Fn(&SecretPlace) -> Result<SecretString>;

/// What the tools are built from; they send within the call.
fn settings(config: &Config, secret: ReadSecret<'_>) -> Result<ToolsSettings> {
    let tools = &config.tools;
    Ok(ToolsSettings {
        metrics_endpoint: tools.metrics.as_ref().map(|metrics| metrics.endpoint.clone()),
        prometheus: tools.prometheus.as_ref().map(|server| server.endpoint.clone()),
        alertmanager: tools.alertmanager.as_ref().map(|server| server.endpoint.clone()),
        service_admin: tools.service.as_ref().map(|service| service.admin.clone()),
        log_files: tools.logs.as_ref().map(|logs| logs.files.clone()).unwrap_or_default(),
        notify: tools.notify.iter().map(|target| notify(target, secret)).collect::<Result<_>>()?,
        direct: tools.notify.iter().filter(|(_, to)| !to.outbox()).map(|(name, _)| name.clone()).collect(),
        outbox: None,
        http_allow: tools.http.as_ref().map(|http| http.allow.clone()).unwrap_or_default(),
    })
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// The configured tools.
fn tools(settings: &ToolsSettings) -> Result<ToolGateway> {
    Ok(ToolGateway::new(provost_tools::build(settings, &clock())?))
}

fn notify((name, target): (&String, &NotifyTarget), secret: ReadSecret<'_>) -> Result<(String, NotifySettings)> {
    let secret = |place| secret(place).with_context(|| format!("`tools.notify.{name}`"));
    let settings = match target {
        NotifyTarget::Webhook { url, secret: place, .. } => {
            NotifySettings::Webhook { url: url.clone(), secret: place.as_ref().map(secret).transpose()? }
        }
        NotifyTarget::Pagerduty { url, routing_key, .. } => {
            NotifySettings::Pagerduty { url: url.clone(), routing_key: secret(routing_key)? }
        }
    };
    Ok((name.clone(), settings))
}

/// What the configured tools are. Needs no secret.
pub(crate) fn catalog(config: &Config) -> Result<Catalog> {
    Ok(tools(&settings(config, &|_| Ok(SecretString::default()))?)?.catalog())
}

/// The configured models.
pub(crate) fn models(config: &Config) -> Result<ModelGateway> {
    config.models.iter().try_fold(ModelGateway::default(), |gateway, (name, model)| {
        let (provider, limits) = provider(model).with_context(|| format!("model `{name}`"))?;
        Ok(gateway.with(name, provider, limits))
    })
}

/// More than a provider's own timeout, so that its answer, which says more, comes first.
const TIMEOUT_MARGIN: Duration = Duration::from_secs(1);

/// One configured model, and how it may be used.
fn provider(model: &Model) -> Result<(Arc<dyn ModelProvider>, ModelLimits)> {
    let limits = ModelLimits::default();
    match model {
        Model::Scripted { script } => Ok((Arc::new(ScriptedProvider::load(script)?), limits)),
        Model::OpenaiCompatible { base_url, model, api_key, ca_file, connect_timeout, request_timeout } => {
            let settings = OpenAiSettings {
                base_url: base_url.clone(),
                model: model.clone(),
                api_key: api_key.as_ref().map(secret).transpose()?,
                ca_file: ca_file.clone(),
                connect_timeout: *connect_timeout,
                request_timeout: *request_timeout,
            };
            let provider = OpenAiProvider::new(settings).map_err(anyhow::Error::msg)?;
            let timeout = request_timeout.saturating_add(TIMEOUT_MARGIN);
            Ok((Arc::new(provider), ModelLimits { timeout, ..limits }))
        }
    }
}

/// A key or another secret, from where the configuration says it is.
fn secret(place: &SecretPlace) -> Result<SecretString> {
    let source = match place {
        SecretPlace::Credential(id) => KeySource::Credential(id.clone()),
        SecretPlace::Env(name) => KeySource::Env(name.clone()),
        SecretPlace::File(path) => KeySource::File(path.clone()),
    };
    read_key(&source, &variable).map_err(|failure| match failure {
        ModelFailure::LlmConfig { detail } => anyhow::Error::msg(detail),
        other => anyhow::Error::msg(other),
    })
}

/// How deliveries are taken. Of a routing key only its digest is kept.
pub(crate) fn intake(config: &Config) -> Result<IntakeSettings> {
    let IntakeConfig { alertmanager, pagerduty, waiting_max } = &config.intake;
    let mut sources = BTreeMap::new();
    if let Some(alertmanager) = alertmanager {
        let settings = SourceSettings { pack: alertmanager.pack.clone(), keys: BTreeMap::new() };
        sources.insert(Source::Alertmanager, settings);
    }
    if let Some(pagerduty) = pagerduty {
        let digest = |(name, place): (&String, &SecretPlace)| {
            let key = secret(place).with_context(|| format!("`intake.pagerduty.routing_keys.{name}`"))?;
            Ok((name.clone(), Digest::of(key.expose_secret().as_bytes())))
        };
        let keys = pagerduty.routing_keys.iter().map(digest).collect::<Result<_>>()?;
        sources.insert(Source::Pagerduty, SourceSettings { pack: pagerduty.pack.clone(), keys });
    }
    Ok(IntakeSettings { sources, waiting_max: waiting_max.get() })
}

/// How long things are kept. Kept answers go by an age of their own.
pub(crate) fn retention(config: &Config) -> RetentionSettings {
    let RetentionConfig { sessions, deliveries, outbox, every } = config.retention;
    let requests = Age(Some(REQUESTS_KEPT));
    let rows = [(Prunable::Deliveries, deliveries), (Prunable::Outbox, outbox), (Prunable::Requests, requests)];
    let rows = rows.into_iter().filter_map(|(what, age)| Some((what, age.0?))).collect();
    RetentionSettings { sessions: sessions.0, rows, every }
}

/// All that sessions work with, checked against each other. The tools are not built yet.
pub(crate) fn gear(config: &Config) -> Result<(Configured, ModelGateway, ToolsSettings)> {
    Ok((Configured::load(config)?, models(config)?, settings(config, &secret)?))
}

/// Who sends what was stored, by the tool's name.
type Carriers = BTreeMap<ToolName, Arc<dyn Carrier>>;

/// Builds the tools; where there is an outbox they store there what they are to send, and the carriers send it.
fn equip(mut settings: ToolsSettings, outgoing: Option<&Outgoing>) -> Result<(ToolGateway, Carriers)> {
    settings.outbox = outgoing.map(|outgoing| Arc::new(outgoing.clone()) as Arc<dyn Outbox>);
    Ok((tools(&settings)?, provost_tools::carriers(&settings, &clock())?))
}

/// The bounds of store and engine.
fn bounds(config: &Config) -> (Limits, EngineSettings) {
    let settings = EngineSettings { sessions_max: config.engine.sessions_max, ..EngineSettings::default() };
    (Limits::default(), settings)
}

impl House {
    /// Takes the store and starts the engine. Its tools send within the call.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        Self::start(config, |_| Ok(None)).await
    }

    /// The same, with tools that store what they are to send.
    pub(crate) async fn serving(config: &Config) -> Result<Self> {
        let give_up_after = config.outbox.give_up_after;
        let outgoing = |store: &SqliteStore| {
            let (outbox, reads) = (Arc::new(store.clone()), Arc::new(store.reads()));
            let parts = OutgoingParts { outbox, reads, clock: clock(), give_up_after };
            Outgoing::new(parts).map(Some).context("making the figures")
        };
        Self::start(config, outgoing).await
    }

    async fn start(config: &Config, outgoing: impl FnOnce(&SqliteStore) -> Result<Option<Outgoing>>) -> Result<Self> {
        let (packs, models, settings) = gear(config)?;
        let bounds = bounds(config);
        #[cfg(feature = "controls")]
        let bounds = crate::controls::without(bounds)?;
        let (limits, within) = bounds;
        let store = SqliteStore::open_within(&config.store_path(), limits).await?;
        let outgoing = outgoing(&store)?;
        let (tools, carriers) = equip(settings, outgoing.as_ref())?;
        if let Some(outgoing) = &outgoing {
            outgoing.carry_with(carriers);
        }
        let ports = Ports {
            store: Arc::new(store.clone()),
            commands: Arc::new(store.clone()),
            reads: Arc::new(store.reads()),
            models,
            tools,
            roles: Arc::new(StandardRoles),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
        };
        let told = Told::listen()?;
        packs.keep(&store).await?;
        let packs = packs.with_pinned(&store.reads()).await?;
        let engine = Engine::start(ports, packs, within).await?;
        Ok(Self { engine, store, outgoing, drain: config.engine.drain, told })
    }

    /// Opens, works and closes in order, also when the work fails.
    pub(crate) async fn within<T>(config: &Config, work: impl AsyncFnOnce(&Self) -> Result<T>) -> Result<T> {
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

    /// What erases sessions of the store.
    pub(crate) fn eraser(&self) -> Eraser {
        Eraser::new(self.engine.clone(), Arc::new(self.store.clone()))
    }

    /// Builds tools from other settings, for a reload.
    pub(crate) fn equip(&self, settings: ToolsSettings) -> Result<(ToolGateway, Carriers)> {
        equip(settings, self.outgoing())
    }

    /// The store, for what is no session.
    pub(crate) fn store(&self) -> &SqliteStore {
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

/// The read side, beside whoever holds the store.
pub(crate) async fn reads(config: &Config) -> Result<SqliteReads> {
    reads_of(&config.store_path()).await
}

/// The read side of a file.
pub(crate) async fn reads_of(store: &Path) -> Result<SqliteReads> {
    Ok(SqliteStore::open_read_only(store).await?)
}

/// A session by id or handle.
pub(crate) async fn session(reads: &dyn Reads, text: &str) -> Result<SessionId> {
    match text.parse() {
        Ok(id) => Ok(reads.session(id).await?.id),
        Err(_) => Ok(reads.by_handle(&Handle::new(text)).await?),
    }
}

/// The files of the shipped pack, for a binary far from its sources.
const SHIPPED: [(&str, &str); 13] = [
    ("pack.yaml", include_str!("../../../skills/incident/pack.yaml")),
    ("demo.script.yaml", include_str!("../../../skills/incident/demo.script.yaml")),
    ("shared/evidence.md", include_str!("../../../skills/incident/shared/evidence.md")),
    ("shared/untrusted.md", include_str!("../../../skills/incident/shared/untrusted.md")),
    ("shared/finish.md", include_str!("../../../skills/incident/shared/finish.md")),
    ("agents/triage/agent.yaml", include_str!("../../../skills/incident/agents/triage/agent.yaml")),
    ("agents/triage/SKILL.md", include_str!("../../../skills/incident/agents/triage/SKILL.md")),
    ("agents/investigator/agent.yaml", include_str!("../../../skills/incident/agents/investigator/agent.yaml")),
    ("agents/investigator/SKILL.md", include_str!("../../../skills/incident/agents/investigator/SKILL.md")),
    ("agents/resolution/agent.yaml", include_str!("../../../skills/incident/agents/resolution/agent.yaml")),
    ("agents/resolution/SKILL.md", include_str!("../../../skills/incident/agents/resolution/SKILL.md")),
    ("agents/watcher/agent.yaml", include_str!("../../../skills/incident/agents/watcher/agent.yaml")),
    ("README.md", "The incident pack, as shipped with this binary.\n"),
];

/// The files of the shipped pack, as they lie in a folder.
pub(crate) fn shipped(folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let pack = folder.join("incident");
    SHIPPED.iter().map(|(name, text)| (pack.join(name), *text)).collect()
}
