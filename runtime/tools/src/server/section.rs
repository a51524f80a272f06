//! The section of a tool server.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::port::ToolBackend;
use provost_form::{ErrorLog, ReadSecret, Table, YamlNode, nearest};

use super::finding::ServerFinding;
use super::kind::ServerKind;
use super::limits::ToolLimits;
use super::open::{FoundSecret, OpenServer};
use super::rate::RateMeter;
use super::served::{SecretMask, ServedTool};
use crate::error::ToolsError;
use crate::kind::{NamedCarrier, ToolKind, ToolParts, ToolSection};

/// The section of a server, as it was read: it only names its secrets.
#[derive(Debug)]
pub(crate) struct ServerSection<K> {
    name: String,
    kind: Arc<K>,
    limits: Arc<BTreeMap<String, ToolLimits>>,
}

impl<K: ServerKind> ServerSection<K> {
    /// Reads the section of a server of this name.
    pub(crate) fn read(name: &str, node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let known: Vec<&str> = ["kind"].into_iter().chain(K::KEYS.iter().copied()).chain(["tools"]).collect();
        let table = Table::open(node, &known, log)?;
        let kind = K::read(&table, log);
        let limits = table.get("tools").map(|node| limits(&kind, node, log)).unwrap_or_default();
        Some(Self { name: name.to_owned(), kind: Arc::new(kind), limits: Arc::new(limits) })
    }
}

/// Reads what every tool takes, of the entries under `tools`.
fn limits<K: ServerKind>(kind: &K, node: &YamlNode, log: &mut ErrorLog) -> BTreeMap<String, ToolLimits> {
    let declared = kind.declared();
    let known: Vec<&str> = K::TOOL_KEYS.iter().copied().chain(ToolLimits::KEYS).collect();
    if !node.is_table() {
        log.expected("a table of tools", node, "write `NAME: {…}`, or remove the key");
    }
    let mut limits = BTreeMap::new();
    for (name, node) in node.entries() {
        let Some(tool) = declared.iter().find(|tool| tool.name == name.value) else {
            let hint = nearest(name, declared.iter().map(|tool| tool.name));
            log.report(name.place, format!("this server has no tool `{}`", name.value), hint);
            continue;
        };
        let Some(table) = Table::open(node, &known, log) else { continue };
        let read = ToolLimits::read(&table, log);
        read.tightens(tool.effect, kind.probes(tool.name), log);
        limits.insert(name.value.clone(), read);
    }
    limits
}

impl<K: ServerKind> ToolSection for ServerSection<K> {
    fn open(&self, secret: Option<ReadSecret<'_>>) -> Result<Arc<dyn ToolKind>, ToolsError> {
        let read = |read: ReadSecret<'_>| {
            let found = self.kind.secrets().into_iter().map(|place| {
                let wrong = |source| ToolsError::Secret { section: format!("tools.{}", self.name), source };
                Ok((place.clone(), read(place).map_err(wrong)?))
            });
            found.collect::<Result<Vec<FoundSecret>, ToolsError>>()
        };
        Ok(Arc::new(ServerTools {
            name: self.name.clone(),
            kind: Arc::clone(&self.kind),
            limits: Arc::clone(&self.limits),
            secrets: secret.map(read).transpose()?,
        }))
    }

    fn notices(&self) -> Vec<String> {
        self.kind.notices()
    }

    fn messengers(&self) -> Vec<String> {
        let tools = self.kind.declared().into_iter().filter(|_| K::TELLS_PEOPLE);
        tools.map(|tool| format!("{}:{}", self.name, tool.name)).collect()
    }
}

/// A server with its secrets, ready to be built.
#[derive(Debug)]
struct ServerTools<K> {
    name: String,
    kind: Arc<K>,
    limits: Arc<BTreeMap<String, ToolLimits>>,
    secrets: Option<Vec<FoundSecret>>,
}

impl<K: ServerKind> ServerTools<K> {
    fn opened<'a>(&'a self, parts: &'a ToolParts) -> OpenServer<'a> {
        OpenServer { name: &self.name, parts, secrets: self.secrets.as_deref(), limits: &self.limits }
    }
}

#[async_trait]
impl<K: ServerKind> ToolKind for ServerTools<K> {
    async fn check(&self, parts: &ToolParts) -> Vec<ServerFinding> {
        self.kind.check(&self.opened(parts)).await
    }

    async fn accept(&self, parts: &ToolParts) -> Vec<ServerFinding> {
        self.kind.accept(&self.opened(parts)).await
    }

    fn tools(&self, parts: &ToolParts) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let opened = self.opened(parts);
        let derived = self.kind.remote().and_then(|remote| remote.derived(&opened));
        let own = self.secrets.iter().flatten().map(|(_, secret)| secret.clone());
        let mask = SecretMask::new(own.chain(derived));
        let served = |tool: Arc<dyn ToolBackend>| -> Arc<dyn ToolBackend> {
            let name = tool.spec().name.as_str();
            let own = name.split_once(':').and_then(|(_, name)| self.limits.get(name));
            let meter = own.and_then(|limits| limits.rate).map(RateMeter::new);
            Arc::new(ServedTool { tool, meter, mask: mask.clone() })
        };
        Ok(self.kind.tools(&opened)?.into_iter().map(served).collect())
    }

    fn carriers(&self, parts: &ToolParts) -> Result<Vec<NamedCarrier>, ToolsError> {
        self.kind.carriers(&self.opened(parts))
    }
}
