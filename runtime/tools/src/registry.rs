//! Every kind of tool, and the section `tools` of the configuration. Only what is configured exists.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::ids::ToolName;
use provost_domain::port::{Carrier, Clock, Outbox, ToolBackend};
use provost_form::{ErrorLog, FromYaml, ReadSecret, Table, YamlNode, take};
use secrecy::SecretString;

use crate::alertmanager::AlertmanagerSection;
use crate::error::ToolsError;
use crate::http;
use crate::kind::{ToolKind, ToolParts, ToolSection};
use crate::logs::LogsSection;
use crate::metrics::MetricsSection;
use crate::notify::NotifySection;
use crate::probe::ProbeSection;
use crate::prometheus::PrometheusSection;
use crate::service::ServiceSection;

type ReadSection = fn(&YamlNode, &mut ErrorLog) -> ConfiguredSection;

/// How long a call waits for its server when that fails: a key of every section.
const OUTAGE_BUDGET: &str = "outage_budget";

/// A section, and what any may say.
#[derive(Debug, Clone)]
struct ConfiguredSection {
    section: Arc<dyn ToolSection>,
    outage_budget: Option<Duration>,
}

fn section<S: FromYaml + ToolSection + 'static>(node: &YamlNode, log: &mut ErrorLog) -> ConfiguredSection {
    let outage_budget = node.get(OUTAGE_BUDGET).and_then(|node| Duration::read(node, log));
    ConfiguredSection { section: Arc::new(take::<S>(&node.without(OUTAGE_BUDGET), log)), outage_budget }
}

/// The kinds of tools by the key of their section, in the order messages list them, with how long their calls wait where the
/// section does not say. Those that look at the very service a case is about do not wait: that it is away is what the agent
/// must learn.
const KINDS: [(&str, ReadSection, Option<Duration>); 7] = [
    ("metrics", section::<MetricsSection>, Some(Duration::ZERO)),
    ("service", section::<ServiceSection>, None),
    ("logs", section::<LogsSection>, Some(Duration::ZERO)),
    ("notify", section::<NotifySection>, None),
    ("prometheus", section::<PrometheusSection>, None),
    ("alertmanager", section::<AlertmanagerSection>, None),
    ("http", section::<ProbeSection>, Some(Duration::ZERO)),
];

/// The section `tools`.
#[derive(Debug, Clone, Default)]
pub struct ToolsConfig(Vec<ConfiguredSection>);

impl FromYaml for ToolsConfig {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let table = Table::open(node, &KINDS.map(|(key, _, _)| key), log)?;
        let sections = KINDS.iter().filter_map(|(key, read, standard)| {
            let read = read(table.get(key)?, log);
            Some(ConfiguredSection { outage_budget: read.outage_budget.or(*standard), ..read })
        });
        Some(Self(sections.collect()))
    }

    fn blank() -> Self {
        Self::default()
    }
}

impl ToolsConfig {
    /// The tools with their secrets.
    ///
    /// # Errors
    /// A secret is not where the configuration says.
    pub fn open(&self, secret: ReadSecret<'_>) -> Result<ToolSet, ToolsError> {
        let kinds = self.0.iter().map(|own| Ok((own.section.open(secret)?, own.outage_budget)));
        let kinds = kinds.collect::<Result<_, ToolsError>>()?;
        Ok(ToolSet { kinds, outbox: None })
    }

    /// The tools without their secrets: enough to know what they are, not to call them.
    pub fn open_without_secrets(&self) -> Result<ToolSet, ToolsError> {
        self.open(&|_| Ok(SecretString::default()))
    }
}

/// The configured tools, ready to be built.
#[derive(Debug, Clone)]
pub struct ToolSet {
    /// Each with how long its calls wait for its server.
    kinds: Vec<(Arc<dyn ToolKind>, Option<Duration>)>,
    outbox: Option<Arc<dyn Outbox>>,
}

impl ToolSet {
    /// The same tools, which store their messages to the outside in this outbox unless the configuration says otherwise.
    #[must_use]
    pub fn with_outbox(self, outbox: Arc<dyn Outbox>) -> Self {
        Self { outbox: Some(outbox), ..self }
    }

    /// Builds every tool.
    pub fn build(&self, clock: &Arc<dyn Clock>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let parts = self.parts(clock)?;
        let tools = self.kinds.iter().map(|(kind, _)| kind.tools(&parts)).collect::<Result<Vec<_>, _>>()?;
        Ok(tools.into_iter().flatten().collect())
    }

    /// How long calls of each tool wait for its server when that fails, where its section says so.
    ///
    /// # Errors
    /// A tool cannot be built.
    pub fn outage_budgets(&self, clock: &Arc<dyn Clock>) -> Result<BTreeMap<ToolName, Duration>, ToolsError> {
        let (parts, mut budgets) = (self.parts(clock)?, BTreeMap::new());
        for (kind, budget) in &self.kinds {
            let Some(budget) = budget else { continue };
            budgets.extend(kind.tools(&parts)?.iter().map(|tool| (tool.spec().name.clone(), *budget)));
        }
        Ok(budgets)
    }

    /// What sends stored messages to each configured target, by the tool's name.
    pub fn carriers(&self, clock: &Arc<dyn Clock>) -> Result<BTreeMap<ToolName, Arc<dyn Carrier>>, ToolsError> {
        let parts = self.parts(clock)?;
        let carriers = self.kinds.iter().map(|(kind, _)| kind.carriers(&parts)).collect::<Result<Vec<_>, _>>()?;
        Ok(carriers.into_iter().flatten().collect())
    }

    fn parts(&self, clock: &Arc<dyn Clock>) -> Result<ToolParts, ToolsError> {
        Ok(ToolParts { client: http::client()?, clock: Arc::clone(clock), outbox: self.outbox.clone() })
    }
}
