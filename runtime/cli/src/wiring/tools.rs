//! The configured tools.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, bail};
use provost_domain::ids::ToolName;
use provost_domain::port::{Carrier, Clock, Outbox};
use provost_domain::tool::Catalog;
use provost_engine::{SystemClock, ToolGateway};
use provost_form::{ReadSecret, nearest};
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

/// The tools of one server with its secrets, and no others; the hint says which servers there are.
pub(crate) fn tools_of(config: &Configuration, server: &str, secret: ReadSecret<'_>) -> Result<ToolSet> {
    match config.tools.only(server) {
        Some(own) => Ok(own.open(secret)?),
        None => bail!("no tool server `{server}`; {}", nearest(server, config.tools.servers())),
    }
}

/// Builds the tools; where there is an outbox they store there what they are to send, and the carriers send it.
pub(super) fn equip(mut tools: ToolSet, outgoing: Option<&Outgoing>) -> Result<(ToolGateway, Carriers)> {
    if let Some(outgoing) = outgoing {
        tools = tools.with_outbox(Arc::new(outgoing.clone()) as Arc<dyn Outbox>);
    }
    for notice in tools.notices() {
        tracing::warn!(notice, "a tool server works, and this should be known of it");
    }
    let gateway = ToolGateway::new(tools.build(&clock())?).with_outage_budgets(tools.outage_budgets(&clock())?);
    let gateway = gateway.with_notices(tools.notices().to_vec());
    Ok((gateway, tools.carriers(&clock())?))
}
