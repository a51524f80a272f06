//! The configured models.

use std::time::Duration;

use anyhow::{Context as _, Result};
use provost_engine::{ModelGateway, ModelLimits};
use provost_form::ReadSecret;

use super::config::Configuration;

/// More than a provider's own timeout, so that its answer, which says more, comes first.
const TIMEOUT_MARGIN: Duration = Duration::from_secs(1);

/// The configured models with their keys.
pub(crate) fn models(config: &Configuration, secret: ReadSecret<'_>) -> Result<ModelGateway> {
    config.models.iter().try_fold(ModelGateway::default(), |gateway, (name, model)| {
        let model = model.build(secret).with_context(|| format!("model `{name}`"))?;
        let mut limits = ModelLimits::default();
        if let Some(timeout) = model.timeout {
            limits.timeout = timeout.saturating_add(TIMEOUT_MARGIN);
        }
        limits.outage_budget = model.outage_budget;
        Ok(gateway.with(name, model.provider, limits))
    })
}
