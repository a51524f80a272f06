//! The section `tools.metrics`.

use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_form::table;

use super::scrape::Scrape;
use crate::error::ToolsError;
use crate::kind::{ToolKind, ToolParts};

table! {
    #[derive(Debug, Clone)]
    pub(crate) struct MetricsSection {
        /// The address of the page in the Prometheus text format.
        endpoint: String,
    }
}

impl ToolKind for MetricsSection {
    fn tools(&self, parts: &ToolParts) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        Ok(vec![Arc::new(Scrape::new(parts.client.clone(), &self.endpoint)?)])
    }
}
