//! Every kind of tool, and the section `tools` of the configuration. Only what is configured exists.

use std::collections::BTreeMap;
use std::sync::Arc;

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

type ReadSection = fn(&YamlNode, &mut ErrorLog) -> Arc<dyn ToolSection>;

fn section<S: FromYaml + ToolSection + 'static>(node: &YamlNode, log: &mut ErrorLog) -> Arc<dyn ToolSection> {
    Arc::new(take::<S>(node, log))
}

/// The kinds of tools by the key of their section, in the order messages list them.
const KINDS: [(&str, ReadSection); 7] = [
    ("metrics", section::<MetricsSection>),
    ("service", section::<ServiceSection>),
    ("logs", section::<LogsSection>),
    ("notify", section::<NotifySection>),
    ("prometheus", section::<PrometheusSection>),
    ("alertmanager", section::<AlertmanagerSection>),
    ("http", section::<ProbeSection>),
];

/// The section `tools`.
#[derive(Debug, Clone, Default)]
pub struct ToolsConfig(Vec<Arc<dyn ToolSection>>);

impl FromYaml for ToolsConfig {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let table = Table::open(node, &KINDS.map(|(key, _)| key), log)?;
        let sections = KINDS.iter().filter_map(|(key, read)| Some(read(table.get(key)?, log)));
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
        let kinds = self.0.iter().map(|section| section.open(secret)).collect::<Result<_, _>>()?;
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
    kinds: Vec<Arc<dyn ToolKind>>,
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
        let tools = self.kinds.iter().map(|kind| kind.tools(&parts)).collect::<Result<Vec<_>, _>>()?;
        Ok(tools.into_iter().flatten().collect())
    }

    /// What sends stored messages to each configured target, by the tool's name.
    pub fn carriers(&self, clock: &Arc<dyn Clock>) -> Result<BTreeMap<ToolName, Arc<dyn Carrier>>, ToolsError> {
        let parts = self.parts(clock)?;
        let carriers = self.kinds.iter().map(|kind| kind.carriers(&parts)).collect::<Result<Vec<_>, _>>()?;
        Ok(carriers.into_iter().flatten().collect())
    }

    fn parts(&self, clock: &Arc<dyn Clock>) -> Result<ToolParts, ToolsError> {
        Ok(ToolParts { client: http::client()?, clock: Arc::clone(clock), outbox: self.outbox.clone() })
    }
}
