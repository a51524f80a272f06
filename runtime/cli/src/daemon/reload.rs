//! Reading the configuration again while sessions run.

use anyhow::Result;
use provost_engine::Resources;

use super::{supervision, tokens};
use crate::args::StoreArgs;
use crate::logs::Logs;
use crate::wiring::{self, Configuration, House};

/// What a reload needs to know.
#[derive(Debug)]
pub(crate) struct Reload<'a> {
    pub(crate) args: &'a StoreArgs,
    /// The configuration the process was started with.
    pub(crate) started: &'a Configuration,
    pub(crate) house: &'a House,
    pub(crate) logs: &'a Logs,
}

impl Reload<'_> {
    /// Takes over what stands in the configuration now: packs, models, tools, tokens, what is logged. All or nothing: if
    /// anything is wrong all stays as it is, and log and service manager are told why. Sessions go on either way.
    pub(crate) async fn run(&self) {
        supervision::reloading();
        let status = match self.take_over().await {
            Ok(left) if left.is_empty() => "the configuration was read again".to_owned(),
            Ok(left) => format!("the configuration was read again; a restart is needed for: {}", left.join(", ")),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the configuration is not taken over; the old one stays");
                return supervision::ready(&format!("the old configuration stays: {error:#}"));
            }
        };
        tracing::info!("{status}");
        supervision::ready(&status);
    }

    /// What of the change needs a restart.
    async fn take_over(&self) -> Result<Vec<&'static str>> {
        let config = wiring::config(self.args)?;
        let wanted = self.logs.wanted(config.log.filter.as_deref())?;
        let (packs, models, tools) = wiring::parts(&config)?;
        let (tools, carriers) = self.house.equip(tools)?;
        let plan = tokens::plan(&*self.house.store().reads.tokens, &config.server.tokens, &wiring::secret).await?;
        packs.keep(&*self.house.store().packs).await?;
        let packs = packs.with_pinned(&*self.house.store().reads.packs).await?;
        tokens::apply(&*self.house.store().tokens, plan).await?;
        let resources = Resources::new(packs, models, tools).with_outage_budget(config.engine.outage_budget);
        self.house.engine.reload(resources);
        if let Some(outgoing) = self.house.outgoing() {
            outgoing.carry_with(carriers);
        }
        if let Some(attention) = self.house.attention() {
            attention.tell_by(wiring::attention(&config));
        }
        self.logs.follow(wanted);
        Ok(needs_restart(self.started, &config))
    }
}

fn needs_restart(old: &Configuration, new: &Configuration) -> Vec<&'static str> {
    let changes = [
        ("store", old.store != new.store),
        ("server.listen", old.server.listen != new.server.listen),
        ("server.requests", old.server.requests != new.server.requests),
        ("intake", old.intake != new.intake),
        ("outbox", old.outbox != new.outbox),
        ("retention", old.retention != new.retention),
        ("engine", old.engine != new.engine),
    ];
    changes.into_iter().filter_map(|(what, changed)| changed.then_some(what)).collect()
}
