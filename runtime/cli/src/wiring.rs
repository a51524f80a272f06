//! Puts the parts together: configuration, packs, tools, models, store, engine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use provost_agents::StandardRoles;
use provost_domain::ids::{Handle, SessionId};
use provost_domain::pack::Pack;
use provost_domain::port::{ModelProvider, Reads};
use provost_engine::{Engine, EngineSettings, ModelGateway, ModelLimits, Ports, SystemClock, ToolGateway};
use provost_model::{KeySource, OpenAiProvider, OpenAiSettings, ScriptedProvider, read_key};
use provost_packs::{ApiKey, Config, Known, Model, load, load_config};
use provost_store::{SqliteReads, SqliteStore};
use provost_tools::ToolsSettings;

use crate::args::ConfigArgs;

/// A running engine with its store.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) engine: Engine,
    store: SqliteStore,
    drain: Duration,
}

/// The configuration a command works with.
#[expect(clippy::disallowed_methods, reason = "the environment is read here and nowhere else")]
pub(crate) fn config(args: &ConfigArgs) -> Result<Config> {
    let mut config = load_config(&args.config, &|name| std::env::var(name).ok())?;
    if let Some(store) = &args.store {
        config.store = format!("sqlite://{}", store.display());
    }
    Ok(config)
}

/// The configured tools.
pub(crate) fn tools(config: &Config) -> Result<ToolGateway> {
    let tools = &config.tools;
    let settings = ToolsSettings {
        metrics_endpoint: tools.metrics.as_ref().map(|metrics| metrics.endpoint.clone()),
        prometheus: tools.prometheus.as_ref().map(|server| server.endpoint.clone()),
        alertmanager: tools.alertmanager.as_ref().map(|server| server.endpoint.clone()),
        service_admin: tools.service.as_ref().map(|service| service.admin.clone()),
        log_files: tools.logs.as_ref().map(|logs| logs.files.clone()).unwrap_or_default(),
        notify: tools.notify.iter().map(|(name, target)| (name.clone(), target.url.clone())).collect(),
        http_allow: tools.http.as_ref().map(|http| http.allow.clone()).unwrap_or_default(),
    };
    Ok(ToolGateway::new(provost_tools::build(&settings)?))
}

/// The configured packs, checked against tools and models.
pub(crate) fn packs(config: &Config) -> Result<Vec<Arc<Pack>>> {
    let catalog = tools(config)?.catalog();
    let models: BTreeSet<String> = config.models.keys().cloned().collect();
    let known = Known { catalog: &catalog, models: &models };
    config.packs.iter().map(|folder| Ok(Arc::new(load(folder, known)?))).collect()
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
#[expect(clippy::disallowed_methods, reason = "the environment is read here and nowhere else")]
fn provider(model: &Model) -> Result<(Arc<dyn ModelProvider>, ModelLimits)> {
    let limits = ModelLimits::default();
    match model {
        Model::Scripted { script } => Ok((Arc::new(ScriptedProvider::load(script)?), limits)),
        Model::OpenaiCompatible { base_url, model, api_key, connect_timeout, request_timeout } => {
            let source = api_key.as_ref().map(|key| match key {
                ApiKey::Credential(id) => KeySource::Credential(id.clone()),
                ApiKey::Env(name) => KeySource::Env(name.clone()),
                ApiKey::File(path) => KeySource::File(path.clone()),
            });
            let key = source.map(|source| read_key(&source, &|name| std::env::var(name).ok())).transpose();
            let settings = OpenAiSettings {
                base_url: base_url.clone(),
                model: model.clone(),
                api_key: key.map_err(anyhow::Error::msg)?,
                connect_timeout: *connect_timeout,
                request_timeout: *request_timeout,
            };
            let provider = OpenAiProvider::new(settings).map_err(anyhow::Error::msg)?;
            let timeout = request_timeout.saturating_add(TIMEOUT_MARGIN);
            Ok((Arc::new(provider), ModelLimits { timeout, ..limits }))
        }
    }
}

impl House {
    /// Takes the store and starts the engine.
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        let (packs, models, tools) = (packs(config)?, models(config)?, tools(config)?);
        let store = SqliteStore::open(&config.store_path()).await?;
        let ports = Ports {
            store: Arc::new(store.clone()),
            commands: Arc::new(store.clone()),
            reads: Arc::new(store.reads()),
            models,
            tools,
            roles: Arc::new(StandardRoles),
            clock: Arc::new(SystemClock),
        };
        let settings = EngineSettings { sessions_max: config.engine.sessions_max, ..EngineSettings::default() };
        let engine = Engine::start(ports, packs, settings).await?;
        Ok(Self { engine, store, drain: config.engine.drain })
    }

    /// The store, for what is no session.
    pub(crate) fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// Takes no new work and finishes what runs, within the configured time.
    pub(crate) async fn drain(&self) {
        self.engine.shutdown(self.drain).await;
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
    Ok(SqliteStore::open_read_only(&config.store_path()).await?)
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

/// Writes the shipped pack into a folder.
pub(crate) fn unpack(folder: &Path) -> Result<PathBuf> {
    let pack = folder.join("incident");
    for (name, text) in SHIPPED {
        let path = pack.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(pack)
}
