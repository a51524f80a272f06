//! The configuration: `provost.yaml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use provost_form::{FormErrors, Variable, table};
use provost_mail::{AttentionConfig, IntakeConfig, OutboxConfig};
use provost_model::ModelConfig;
use provost_store::StoreUrl;
use provost_tools::ToolsConfig;

use super::contacts::{self, Contacts};
use super::engine::EngineConfig;
use super::environment::variable;
use super::fallback;
use super::retention::RetentionConfig;
use super::server::{LogConfig, ServerConfig};
use crate::args::{FileArgs, StoreArgs};

table! {
    /// The configuration, with paths resolved against the folder of its file.
    #[derive(Debug, Clone)]
    pub(crate) struct Configuration {
        /// Where sessions are stored.
        pub(crate) store: StoreUrl,
        /// The folders of the packs.
        pub(crate) packs: Vec<PathBuf>,
        /// The models, by the name agents use.
        pub(crate) models: BTreeMap<String, ModelConfig>,
        /// What the tools reach.
        pub(crate) tools: ToolsConfig = ToolsConfig::default(),
        /// Whom questions and notices mean.
        pub(crate) contacts: Contacts = Contacts::new(),
        /// Whom `provost serve` tells what sessions need of people.
        pub(crate) attention: AttentionConfig = AttentionConfig::blank(),
        /// The engine's bounds.
        pub(crate) engine: EngineConfig = EngineConfig::blank(),
        /// How `provost serve` is reached.
        pub(crate) server: ServerConfig = ServerConfig::blank(),
        /// What `provost serve` takes from outside.
        pub(crate) intake: IntakeConfig = IntakeConfig::blank(),
        /// How `provost serve` sends messages to the outside.
        pub(crate) outbox: OutboxConfig = OutboxConfig::blank(),
        /// How long `provost serve` keeps what is finished.
        pub(crate) retention: RetentionConfig = RetentionConfig::blank(),
        /// What `provost serve` logs.
        pub(crate) log: LogConfig = LogConfig::default(),
    }
}

/// Reads a configuration file.
///
/// # Errors
/// The file cannot be read. Or every error in it at once, among them every variable that is not set.
pub(crate) fn load(path: &Path, variable: Variable<'_>) -> Result<Configuration, FormErrors> {
    let config: Configuration = provost_form::load(path, variable)?;
    contacts::check(&config.contacts, &config.tools, path)?;
    contacts::check_rules(&config.attention, &config.contacts, path)?;
    fallback::check(&config.models, path)?;
    Ok(config)
}

/// The configuration alone, for commands that need no store.
pub(crate) fn config_of_file(args: &FileArgs) -> Result<Configuration> {
    Ok(load(&args.config, &variable)?)
}

/// The configuration in a file, for commands that need one only sometimes.
pub(crate) fn config_at(path: &Path) -> Result<Configuration> {
    Ok(load(path, &variable)?)
}

/// The configuration a command works with.
pub(crate) fn config(args: &StoreArgs) -> Result<Configuration> {
    let mut config = config_of_file(&args.file)?;
    if let Some(store) = &args.store {
        config.store = StoreUrl::from(&**store);
    }
    Ok(config)
}

#[cfg(test)]
mod tests;
