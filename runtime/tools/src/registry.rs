//! Every kind of tool, and the section `tools` of the configuration. Only what is configured exists.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::ids::ToolName;
use provost_domain::port::{Carrier, Clock, Outbox, ToolBackend};
use provost_form::{At, ErrorLog, FromYaml, ReadSecret, YamlNode, nearest, take};

use crate::alertmanager::AlertmanagerSection;
use crate::error::ToolsError;
use crate::http;
use crate::kind::{ToolKind, ToolParts, ToolSection};
use crate::logs::LogsSection;
use crate::metrics::MetricsSection;
use crate::notify::NotifySection;
use crate::probe::ProbeSection;
use crate::prometheus::PrometheusSection;
use crate::server::{ServerFinding, ServerKind, ServerSection};
use crate::service::ServiceSection;

type ReadSection = fn(&str, &YamlNode, &mut ErrorLog) -> ConfiguredSection;

/// How long a call waits for its server when that fails: a key of every section.
const OUTAGE_BUDGET: &str = "outage_budget";

/// A section, and what any may say.
#[derive(Debug, Clone)]
struct ConfiguredSection {
    /// Its key.
    name: String,
    section: Arc<dyn ToolSection>,
    outage_budget: Option<Duration>,
}

impl ConfiguredSection {
    /// The same, with what its kind says where the section says nothing.
    fn or(self, standard: Option<Duration>) -> Self {
        Self { outage_budget: self.outage_budget.or(standard), ..self }
    }
}

fn configured(name: &str, node: &YamlNode, log: &mut ErrorLog, section: Arc<dyn ToolSection>) -> ConfiguredSection {
    let outage_budget = node.get(OUTAGE_BUDGET).and_then(|node| Duration::read(node, log));
    ConfiguredSection { name: name.to_owned(), section, outage_budget }
}

fn section<S: FromYaml + ToolSection + 'static>(name: &str, node: &YamlNode, log: &mut ErrorLog) -> ConfiguredSection {
    let section = Arc::new(take::<S>(&node.without(OUTAGE_BUDGET), log));
    configured(name, node, log, section)
}

type ReadServer = fn(&str, &YamlNode, &mut ErrorLog) -> Option<ConfiguredSection>;

fn server<K: ServerKind>(name: &str, node: &YamlNode, log: &mut ErrorLog) -> Option<ConfiguredSection> {
    let section = ServerSection::<K>::read(name, &node.without(OUTAGE_BUDGET), log)?;
    Some(configured(name, node, log, Arc::new(section)))
}

/// How long calls wait for a server that looks at the very service a case is about: that it is away is what the agent must
/// learn.
const AT_ONCE: Option<Duration> = Some(Duration::ZERO);

/// The kinds of tool servers by the word under `kind`, in the order messages list them, with how long their calls wait where
/// the section does not say.
const SERVERS: &[(&str, ReadServer, Option<Duration>)] = &[
    ("alertmanager", server::<crate::alertmanager::AlertmanagerServer>, None),
    ("command", server::<crate::command::CommandServer>, None),
    ("files", server::<crate::files::FilesServer>, AT_ONCE),
    ("http", server::<crate::rest::RestServer>, None),
    ("loki", server::<crate::loki::LokiServer>, None),
    ("mcp", server::<crate::mcp::McpServer>, None),
    ("metrics", server::<crate::metrics::MetricsServer>, AT_ONCE),
    ("notify", server::<crate::notify::NotifyServer>, None),
    ("probe", server::<crate::probe::ProbeServer>, AT_ONCE),
    ("prometheus", server::<crate::prometheus::PrometheusKind>, None),
];

/// The sections without a `kind`, by their key: presets with fixed names of tools, for packs that were written for them.
const PRESETS: [(&str, ReadSection, Option<Duration>); 7] = [
    ("metrics", section::<MetricsSection>, AT_ONCE),
    ("service", section::<ServiceSection>, None),
    ("logs", section::<LogsSection>, AT_ONCE),
    ("notify", section::<NotifySection>, None),
    ("prometheus", section::<PrometheusSection>, None),
    ("alertmanager", section::<AlertmanagerSection>, None),
    ("http", section::<ProbeSection>, AT_ONCE),
];

/// The section `tools`.
#[derive(Debug, Clone, Default)]
pub struct ToolsConfig(Vec<ConfiguredSection>);

impl FromYaml for ToolsConfig {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if !node.is_table() {
            let kinds = kinds().join(", ");
            log.expected(
                "a table of tool servers",
                node,
                &format!("write `NAME: {{kind: KIND, …}}`; the kinds are: {kinds}"),
            );
            return None;
        }
        Some(Self(node.entries().filter_map(|(name, node)| one(name, node, log)).collect()))
    }

    fn blank() -> Self {
        Self::default()
    }
}

fn kinds() -> Vec<&'static str> {
    SERVERS.iter().map(|(kind, ..)| *kind).collect()
}

/// Longest name of a server.
const NAME_MAX: usize = 40;

/// Reads one entry of `tools`.
fn one(name: &At<String>, node: &YamlNode, log: &mut ErrorLog) -> Option<ConfiguredSection> {
    // A target of notifications may be called `kind`.
    let Some(kind) = node.get("kind").filter(|kind| !kind.is_table()) else {
        if let Some((_, read, standard)) = PRESETS.iter().find(|(key, ..)| *key == name.value) {
            return Some(read(name, node, log).or(*standard));
        }
        let near = nearest(name, PRESETS.map(|(key, ..)| key));
        let kinds = kinds().join(", ");
        let more = if near.starts_with("did") { format!("{near} ") } else { String::new() };
        let hint = format!("{more}A server of your own has a `kind`: {kinds}");
        log.report(name.place, format!("unknown key `{}`", name.value), hint);
        return None;
    };
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if !plain || name.len() > NAME_MAX || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let hint = "write letters, digits, `_` and `-`, at most 40, the first of them a letter";
        log.report(name.place, format!("`{}` cannot be the name of a server", name.value), hint);
    }
    let word = String::read(kind, log)?;
    let Some((_, read, standard)) = SERVERS.iter().find(|(own, ..)| *own == word) else {
        log.report(kind.place, "the kind is not known", nearest(&word, kinds()));
        return None;
    };
    Some(read(name, node, log)?.or(*standard))
}

impl ToolsConfig {
    /// The tools with their secrets.
    ///
    /// # Errors
    /// A secret is not where the configuration says.
    pub fn open(&self, secret: ReadSecret<'_>) -> Result<ToolSet, ToolsError> {
        self.opened(Some(secret))
    }

    /// The same with this server's section alone; nothing where there is no section of this name.
    #[must_use]
    pub fn only(&self, server: &str) -> Option<Self> {
        let own: Vec<_> = self.0.iter().filter(|own| own.name == server).cloned().collect();
        (!own.is_empty()).then_some(Self(own))
    }

    /// The names of all servers, in the order of the file.
    pub fn servers(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|own| own.name.as_str())
    }

    fn opened(&self, secret: Option<ReadSecret<'_>>) -> Result<ToolSet, ToolsError> {
        let kinds = self.0.iter().map(|own| Ok((own.section.open(secret)?, own.outage_budget)));
        let kinds = kinds.collect::<Result<_, ToolsError>>()?;
        let notices = self
            .0
            .iter()
            .flat_map(|own| own.section.notices().into_iter().map(|notice| format!("`{}`: {notice}", own.name)));
        Ok(ToolSet { kinds, outbox: None, notices: notices.collect() })
    }

    /// The full names of all tools that tell people something.
    pub fn messengers(&self) -> Vec<String> {
        self.0.iter().flat_map(|own| own.section.messengers()).collect()
    }

    /// The tools without their secrets: enough to know what they are, not to call them.
    pub fn open_without_secrets(&self) -> Result<ToolSet, ToolsError> {
        self.opened(None)
    }
}

/// The configured tools, ready to be built.
#[derive(Debug, Clone)]
pub struct ToolSet {
    /// Each with how long its calls wait for its server.
    kinds: Vec<(Arc<dyn ToolKind>, Option<Duration>)>,
    outbox: Option<Arc<dyn Outbox>>,
    notices: Vec<String>,
}

impl ToolSet {
    /// The same tools, which store their messages to the outside in this outbox unless the configuration says otherwise.
    #[must_use]
    pub fn with_outbox(self, outbox: Arc<dyn Outbox>) -> Self {
        Self { outbox: Some(outbox), ..self }
    }

    /// What people who run the servers should know although they work, a sentence each.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Looks at every server whether it can be used, changing nothing.
    ///
    /// # Errors
    /// The HTTP client does not start.
    pub async fn check(&self, clock: &Arc<dyn Clock>) -> Result<Vec<ServerFinding>, ToolsError> {
        let (parts, mut findings) = (self.parts(clock)?, Vec::new());
        for (kind, _) in &self.kinds {
            findings.extend(kind.check(&parts).await);
        }
        Ok(findings)
    }

    /// Accepts what every server says of its tools now: a tool that its server describes otherwise later is not called.
    ///
    /// # Errors
    /// The HTTP client does not start.
    pub async fn accept(&self, clock: &Arc<dyn Clock>) -> Result<Vec<ServerFinding>, ToolsError> {
        let (parts, mut findings) = (self.parts(clock)?, Vec::new());
        for (kind, _) in &self.kinds {
            findings.extend(kind.accept(&parts).await);
        }
        Ok(findings)
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
