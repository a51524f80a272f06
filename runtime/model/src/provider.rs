//! What a kind of provider is to the registry.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::failure::ModelFailure;
use provost_domain::port::ModelProvider;
use provost_form::{ErrorLog, FromYaml, ReadSecret, SecretError, YamlNode};

use crate::scripted::ScriptError;

/// A model that is ready to be asked.
#[derive(Debug, Clone)]
pub struct ConfiguredModel {
    /// Who answers.
    pub provider: Arc<dyn ModelProvider>,
    /// How long a question waits for its server when that fails; nothing where the model does not say.
    pub outage_budget: Option<Duration>,
}

/// A model of the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// Its script cannot be read.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// Its key is not where it should be.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// What is written about its server cannot be used.
    #[error("{0}")]
    Settings(ModelFailure),
}

/// A provider's section that was read.
pub(crate) trait ProviderSection: fmt::Debug + Send + Sync {
    /// Reads what the section only names, such as its key, and makes the provider. Asks nothing.
    fn build(&self, secret: ReadSecret<'_>) -> Result<ConfiguredModel, ModelError>;
}

/// A row of the registry: how the section of one kind is found and read.
pub(crate) struct ProviderKind {
    /// Its word under `provider:`.
    pub(crate) name: &'static str,
    /// The keys of its section.
    pub(crate) keys: &'static [&'static str],
    /// Reads its section.
    pub(crate) read: fn(&YamlNode, &mut ErrorLog) -> Option<Arc<dyn ProviderSection>>,
}

impl ProviderKind {
    /// The kind whose section is an `S`.
    pub(crate) const fn of<S: FromYaml + ProviderSection + 'static>(
        name: &'static str,
        keys: &'static [&'static str],
    ) -> Self {
        Self { name, keys, read: |node, log| Some(Arc::new(S::read(node, log)?)) }
    }
}
