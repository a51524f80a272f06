//! Servers of the kind `http`: each entry under `tools` is one request, and what its answer means.
//!
//! Whether a call happened is told by its status alone, as the configuration declares it (`ok`, `refused`); a redirection is
//! never followed. A value of an argument never becomes a part of the address or the body around it.

mod entry;
mod probe;
mod request;
mod tool;

use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_domain::tool::EffectClass;
use provost_form::{ErrorLog, Table};

use crate::error::ToolsError;
use crate::server::{DeclaredTool, OpenServer, RemoteSection, RemoteServer, ServerKind, ToolWordsSource, entries};
use entry::RestEntry;

/// A server of the kind `http`.
#[derive(Debug)]
pub(crate) struct RestServer {
    remote: RemoteSection,
    /// The names of all entries, also of those that could not be read.
    names: Vec<String>,
    entries: Vec<RestEntry>,
}

impl ServerKind for RestServer {
    const KEYS: &'static [&'static str] = RemoteSection::KEYS;
    const TOOL_KEYS: &'static [&'static str] = RestEntry::KEYS;

    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        let remote = RemoteSection::read(table, log).without_parameters(table, log);
        let (names, entries) =
            entries(table, ("write `NAME: {about: …, request: {…}}`", ToolWordsSource::Site), log, RestEntry::read);
        Self { remote, names, entries }
    }

    fn declared(&self) -> Vec<DeclaredTool<'_>> {
        self.names.iter().map(|name| DeclaredTool { name, effect: EffectClass::Read }).collect()
    }

    fn probes(&self, tool: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == tool && entry.probe.is_some())
    }

    fn remote(&self) -> Option<&RemoteSection> {
        Some(&self.remote)
    }

    fn tools(&self, server: &OpenServer<'_>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let remote = RemoteServer::open(&self.remote, server)?;
        let tool = |entry: &RestEntry| -> Result<Arc<dyn ToolBackend>, ToolsError> {
            Ok(Arc::new(tool::RestTool::new(server, remote.clone(), entry)?))
        };
        self.entries.iter().map(tool).collect()
    }
}
