//! The configured tools.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use provost_domain::ids::ToolName;
use provost_domain::port::{Carrier, Clock, Outbox};
use provost_domain::tool::Catalog;
use provost_engine::{SystemClock, ToolGateway};
use provost_form::ReadSecret;
use provost_mail::Outgoing;
use provost_tools::ToolSet;

use super::config::Configuration;

/// Who sends what was stored, by the tool's name.
pub(crate) type Carriers = BTreeMap<ToolName, Arc<dyn Carrier>>;

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// What the configured tools are. Needs no secret.
pub(crate) fn catalog(config: &Configuration) -> Result<Catalog> {
    Ok(ToolGateway::new(config.tools.open_without_secrets()?.build(&clock())?).catalog())
}

/// The configured tools with their secrets.
pub(crate) fn tools(config: &Configuration, secret: ReadSecret<'_>) -> Result<ToolSet> {
    Ok(config.tools.open(secret)?)
}

/// Builds the tools; where there is an outbox they store there what they are to send, and the carriers send it.
pub(super) fn equip(mut tools: ToolSet, outgoing: Option<&Outgoing>) -> Result<(ToolGateway, Carriers)> {
    if let Some(outgoing) = outgoing {
        tools = tools.with_outbox(Arc::new(outgoing.clone()) as Arc<dyn Outbox>);
    }
    let gateway = ToolGateway::new(tools.build(&clock())?).with_outage_budgets(tools.outage_budgets(&clock())?);
    Ok((gateway, tools.carriers(&clock())?))
}
