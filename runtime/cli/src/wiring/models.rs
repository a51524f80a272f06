//! The configured models.

use std::time::Duration;

use anyhow::{Context as _, Result};
use provost_engine::{ModelGateway, ModelLimits};
use provost_form::ReadSecret;

use super::config::Configuration;
use super::fallback;

/// The configured models with their keys.
pub(crate) fn models(config: &Configuration, secret: ReadSecret<'_>) -> Result<ModelGateway> {
    config.models.iter().try_fold(ModelGateway::default(), |gateway, (name, model)| {
        let model = model.build(secret).with_context(|| format!("model `{name}`"))?;
        // The provider notices a silent server; in all, the agent's deadline is the limit.
        let timeout = Duration::MAX;
        let limits = ModelLimits { timeout, outage_budget: model.outage_budget, ..ModelLimits::default() };
        let fallbacks = fallback::of(&config.models, name);
        Ok(gateway.with(name, model.provider, limits).falling_back(name, fallbacks))
    })
}
