//! The configuration: `provost.yaml`.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::error::PackErrors;
use crate::form::{Log, Read, table, take};
use crate::model::Model;
use crate::node::{Kind, Node, Place};
use crate::notify::NotifyTarget;
use crate::retention::RetentionConfig;
use crate::scalar::Count;
use crate::secret::SecretPlace;
use crate::server::{LogConfig, ServerConfig};
use crate::source::Source;

table! {
    /// The configuration, with paths resolved against its file's folder.
    #[derive(Debug, Clone)]
    pub struct Config {
        /// `sqlite://PATH`.
        pub store: String,
        /// The packs' folders.
        pub packs: Vec<PathBuf>,
        /// The models, by the name agents use.
        pub models: BTreeMap<String, Model>,
        /// What the tools reach.
        pub tools: Tools = Tools::default(),
        /// The engine's bounds.
        pub engine: EngineConfig = EngineConfig::default(),
        /// How `provost serve` is reached.
        pub server: ServerConfig = ServerConfig::blank(),
        /// What `provost serve` takes from outside.
        pub intake: IntakeConfig = IntakeConfig::blank(),
        /// How `provost serve` sends what is told outside.
        pub outbox: OutboxConfig = OutboxConfig::blank(),
        /// How long `provost serve` keeps what is finished.
        pub retention: RetentionConfig = RetentionConfig::blank(),
        /// What `provost serve` logs.
        pub log: LogConfig = LogConfig::default(),
    }
}

table! {
    /// What is taken from outside; a kind of sender whose part is missing is refused.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct IntakeConfig {
        /// Alertmanager's webhook.
        pub alertmanager: Option<AlertmanagerIntake> = None,
        /// PagerDuty's Events API.
        pub pagerduty: Option<PagerdutyIntake> = None,
        /// Deliveries that may wait to be worked on; more are refused so that senders try again. As many as a storm of
        /// alerts brings.
        pub waiting_max: NonZeroU64 = const { NonZeroU64::new(10_000).unwrap() },
    }
}

table! {
    /// How stored notifications are sent.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct OutboxConfig {
        /// How long one is tried before it counts as failed.
        pub give_up_after: Duration = Duration::from_hours(24),
    }
}

table! {
    /// Alertmanager's webhook. Who sends is known by a token.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct AlertmanagerIntake {
        /// The pack of the sessions it opens.
        pub pack: String,
    }
}

table! {
    /// PagerDuty's Events API. Who sends is known by the event's routing key or by a token.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct PagerdutyIntake {
        /// The pack of the sessions it opens.
        pub pack: String,
        /// Where the routing keys are, by the name their sender has in logs.
        pub routing_keys: BTreeMap<String, SecretPlace> = BTreeMap::new(),
    }
}

table! {
    /// What the tools reach; a tool whose part is missing does not exist.
    #[derive(Debug, Clone, Default)]
    pub struct Tools {
        /// For `metrics:scrape`.
        pub metrics: Option<Endpoint> = None,
        /// For `service:*`.
        pub service: Option<Admin> = None,
        /// For `logs:tail`.
        pub logs: Option<Logs> = None,
        /// For `notify:NAME`.
        pub notify: BTreeMap<String, NotifyTarget> = BTreeMap::new(),
        /// For `prometheus:*`.
        pub prometheus: Option<Endpoint> = None,
        /// For `alertmanager:*`.
        pub alertmanager: Option<Endpoint> = None,
        /// For `http:probe`.
        pub http: Option<Http> = None,
    }
}

table! {
    /// A server that is read.
    #[derive(Debug, Clone)]
    pub struct Endpoint {
        /// Its address.
        pub endpoint: String,
    }
}

table! {
    /// An admin interface.
    #[derive(Debug, Clone)]
    pub struct Admin {
        /// Its base address.
        pub admin: String,
    }
}

table! {
    /// Log files.
    #[derive(Debug, Clone)]
    pub struct Logs {
        /// By the name the model uses.
        pub files: BTreeMap<String, PathBuf>,
    }
}

table! {
    /// What may be probed.
    #[derive(Debug, Clone)]
    pub struct Http {
        /// `host:port`s.
        pub allow: Vec<String>,
    }
}

/// The engine's bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineConfig {
    /// Live sessions at once.
    pub sessions_max: usize,
    /// How long a stop waits for what runs.
    pub drain: Duration,
}

table! {
    struct RawEngine {
        sessions_max: Count<1> = Count(256),
        drain: Duration = Duration::from_secs(30),
    }
}

impl From<RawEngine> for EngineConfig {
    fn from(raw: RawEngine) -> Self {
        Self { sessions_max: raw.sessions_max.0 as usize, drain: raw.drain }
    }
}

impl Default for EngineConfig {
    fn default() -> Self {
        RawEngine::blank().into()
    }
}

impl Read for EngineConfig {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        RawEngine::read(node, log).map(Self::from)
    }

    fn blank() -> Self {
        Self::default()
    }
}

/// Reads the configuration. `${VAR}` and `${VAR:-default}` in its values are replaced by `variable`'s answers; a variable
/// can bring in nothing but its text, no key and no list.
///
/// # Errors
/// The file cannot be read. Or every mistake in it: of form, and every variable that is not set.
pub fn load_config(path: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Result<Config, PackErrors> {
    let source = Source::read(path).map_err(|error| PackErrors(vec![error]))?;
    let mut log = Log::new(source.path.clone());
    let Some(mut tree) = source.tree(&mut log) else { return Err(PackErrors::sorted(log.errors)) };
    substitute(&mut tree, variable, &mut log);
    let mut config: Config = take(&tree, &mut log);
    if !config.store.is_empty() && !config.store.starts_with(SQLITE) {
        // Not the whole address: it may hold a password.
        let kind = config.store.split_once("://").map_or("it", |(kind, _)| kind);
        let place = tree.get("store").map(|node| node.place).unwrap_or_default();
        log.report(place, format!("the store is not known: `{kind}`"), "write `sqlite://PATH`");
    }
    if !log.errors.is_empty() {
        return Err(PackErrors::sorted(log.errors));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    for pack in &mut config.packs {
        *pack = folder.join(&*pack);
    }
    for model in config.models.values_mut() {
        match model {
            Model::Scripted { script } => *script = folder.join(&*script),
            Model::OpenaiCompatible { ca_file, .. } => *ca_file = ca_file.as_ref().map(|file| folder.join(file)),
        }
    }
    for place in config.secrets() {
        if let SecretPlace::File(file) = place {
            *file = folder.join(&*file);
        }
    }
    for file in config.server.tokens.iter_mut().filter_map(|token| token.file.as_mut()) {
        *file = folder.join(&*file);
    }
    for file in config.tools.logs.iter_mut().flat_map(|logs| logs.files.values_mut()) {
        *file = folder.join(&*file);
    }
    Ok(config)
}

/// The one kind of store there is.
const SQLITE: &str = "sqlite://";

impl Config {
    /// The SQLite file's path.
    pub fn store_path(&self) -> PathBuf {
        PathBuf::from(self.store.strip_prefix(SQLITE).unwrap_or(&self.store))
    }

    /// Every place of a secret.
    fn secrets(&mut self) -> impl Iterator<Item = &mut SecretPlace> {
        let models = self.models.values_mut().filter_map(|model| match model {
            Model::OpenaiCompatible { api_key, .. } => api_key.as_mut(),
            Model::Scripted { .. } => None,
        });
        let notify = self.tools.notify.values_mut().filter_map(NotifyTarget::secret);
        let routing = self.intake.pagerduty.iter_mut().flat_map(|pagerduty| pagerduty.routing_keys.values_mut());
        models.chain(notify).chain(routing)
    }
}

/// Replaces the variables in all values.
fn substitute(node: &mut Node, variable: &dyn Fn(&str) -> Option<String>, log: &mut Log) {
    match &mut node.kind {
        Kind::Scalar(Value::String(text)) if text.contains("${") => {
            let filled = filled(text, node.place, variable, log);
            node.kind = Kind::Supplied(filled);
        }
        Kind::Scalar(_) | Kind::Supplied(_) => {}
        Kind::List(items) => items.iter_mut().for_each(|item| substitute(item, variable, log)),
        Kind::Table(entries) => entries.iter_mut().for_each(|(_, node)| substitute(node, variable, log)),
    }
}

/// A text with its variables filled in. One that is not set leaves its own text, so that no second mistake follows.
fn filled(text: &str, place: Place, variable: &dyn Fn(&str) -> Option<String>, log: &mut Log) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let Some((inner, later)) = after.split_once('}') else {
            log.report(place, "`${` is not closed", "write `${NAME}` or `${NAME:-default}`");
            return filled;
        };
        let (name, default) = inner.split_once(":-").map_or((inner, None), |(name, default)| (name, Some(default)));
        if let Some(value) = variable(name).or_else(|| default.map(str::to_owned)) {
            filled.push_str(&value);
        } else {
            let hint = format!("set it, or write `${{{name}:-default}}`");
            log.report(place, format!("the variable `{name}` is not set"), hint);
            filled.push_str(name);
        }
        rest = later;
    }
    filled.push_str(rest);
    filled
}
