//! The section `tools.prometheus`, and that of servers of the kind `prometheus`.

use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_domain::tool::EffectClass;
use provost_form::{ErrorLog, Table, table};

use super::query::Query;
use super::range::QueryRange;
use super::rules::Rules;
use super::served::{RangeQuery, ServedQuery};
use super::server::PrometheusServer;
use crate::error::ToolsError;
use crate::kind::{ToolKind, ToolParts};
use crate::server::{DeclaredTool, OpenServer, RemoteSection, RemoteServer, ServerKind};

table! {
    #[derive(Debug, Clone)]
    pub(crate) struct PrometheusSection {
        /// The base address of the server.
        endpoint: String,
    }
}

impl ToolKind for PrometheusSection {
    fn tools(&self, parts: &ToolParts) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let server = PrometheusServer::preset(parts.client.clone(), &self.endpoint)?;
        Ok(vec![Arc::new(Query::new(server.clone())?), Arc::new(QueryRange::new(server)?)])
    }
}

/// A server of the kind `prometheus`.
#[derive(Debug)]
pub(crate) struct PrometheusKind(RemoteSection);

impl ServerKind for PrometheusKind {
    const KEYS: &'static [&'static str] = RemoteSection::KEYS;

    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        Self(RemoteSection::read(table, log).without_parameters(table, log))
    }

    fn declared(&self) -> Vec<DeclaredTool<'_>> {
        ["query", "query_range", "rules"].map(|name| DeclaredTool { name, effect: EffectClass::Read }).into()
    }

    fn remote(&self) -> Option<&RemoteSection> {
        Some(&self.0)
    }

    fn tools(&self, server: &OpenServer<'_>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let asked = PrometheusServer::new(RemoteServer::open(&self.0, server)?);
        Ok(vec![
            Arc::new(ServedQuery::new(server, asked.clone())?),
            Arc::new(RangeQuery::new(server, asked.clone())?),
            Arc::new(Rules::new(server, asked)?),
        ])
    }
}
