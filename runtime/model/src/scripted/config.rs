//! The section of a scripted model.

use std::path::PathBuf;
use std::sync::Arc;

use provost_form::{ErrorLog, FromYaml, ReadSecret, Table, YamlNode};

use super::provider::ScriptedProvider;
use crate::provider::{ConfiguredModel, ModelError, ProviderSection};

/// The section as written.
#[derive(Debug, Clone)]
pub(crate) struct ScriptedSection {
    /// The file of the rules.
    script: PathBuf,
}

impl ScriptedSection {
    pub(crate) const KEYS: [&'static str; 2] = ["provider", "script"];
}

impl FromYaml for ScriptedSection {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let table = Table::open(node, &Self::KEYS, log)?;
        Some(Self { script: table.required("script", log) })
    }

    fn blank() -> Self {
        Self { script: PathBuf::new() }
    }
}

impl ProviderSection for ScriptedSection {
    fn build(&self, _: ReadSecret<'_>) -> Result<ConfiguredModel, ModelError> {
        Ok(ConfiguredModel { provider: Arc::new(ScriptedProvider::load(&self.script)?), outage_budget: None })
    }
}
