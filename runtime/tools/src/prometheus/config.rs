//! The section `tools.prometheus`.

use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_form::table;

use super::query::Query;
use super::range::QueryRange;
use super::server::PrometheusServer;
use crate::error::ToolsError;
use crate::kind::{ToolKind, ToolParts};

table! {
    #[derive(Debug, Clone)]
    pub(crate) struct PrometheusSection {
        /// The base address of the server.
        endpoint: String,
    }
}

impl ToolKind for PrometheusSection {
    fn tools(&self, parts: &ToolParts) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let server = PrometheusServer::new(parts.client.clone(), &self.endpoint)?;
        Ok(vec![Arc::new(Query::new(server.clone())?), Arc::new(QueryRange::new(server)?)])
    }
}
