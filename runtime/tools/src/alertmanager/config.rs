//! The section `tools.alertmanager`, and that of servers of the kind `alertmanager`.

use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_domain::tool::EffectClass;
use provost_form::{ErrorLog, Table, table};

use super::alerts::Alerts;
use crate::error::ToolsError;
use crate::kind::{ToolKind, ToolParts};
use crate::server::{DeclaredTool, OpenServer, RemoteSection, RemoteServer, ServerKind};

table! {
    #[derive(Debug, Clone)]
    pub(crate) struct AlertmanagerSection {
        /// The base address of the server.
        endpoint: String,
    }
}

impl ToolKind for AlertmanagerSection {
    fn tools(&self, parts: &ToolParts) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        Ok(vec![Arc::new(Alerts::preset(parts.client.clone(), &self.endpoint)?)])
    }
}

/// A server of the kind `alertmanager`.
#[derive(Debug)]
pub(crate) struct AlertmanagerServer(RemoteSection);

impl ServerKind for AlertmanagerServer {
    const KEYS: &'static [&'static str] = RemoteSection::KEYS;

    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        Self(RemoteSection::read(table, log).without_parameters(table, log))
    }

    fn declared(&self) -> Vec<DeclaredTool<'_>> {
        vec![DeclaredTool { name: "list", effect: EffectClass::Read }]
    }

    fn remote(&self) -> Option<&RemoteSection> {
        Some(&self.0)
    }

    fn tools(&self, server: &OpenServer<'_>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let remote = RemoteServer::open(&self.0, server)?;
        Ok(vec![Arc::new(Alerts::list(server, remote)?)])
    }
}
