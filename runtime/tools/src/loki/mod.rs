//! Grafana Loki: lines of logs by a query.

mod query;

use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_domain::tool::EffectClass;
use provost_form::{ErrorLog, Table};

use crate::error::ToolsError;
use crate::server::{DeclaredTool, OpenServer, RemoteSection, RemoteServer, ServerKind};

/// A server of the kind `loki`.
#[derive(Debug)]
pub(crate) struct LokiServer(RemoteSection);

impl ServerKind for LokiServer {
    const KEYS: &'static [&'static str] = RemoteSection::KEYS;

    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        Self(RemoteSection::read(table, log).without_parameters(table, log))
    }

    fn declared(&self) -> Vec<DeclaredTool<'_>> {
        vec![DeclaredTool { name: "query", effect: EffectClass::Read }]
    }

    fn remote(&self) -> Option<&RemoteSection> {
        Some(&self.0)
    }

    fn tools(&self, server: &OpenServer<'_>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let remote = RemoteServer::open(&self.0, server)?;
        Ok(vec![Arc::new(query::LogQuery::new(server, remote)?)])
    }
}
