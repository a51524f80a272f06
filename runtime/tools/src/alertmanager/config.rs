//! The section `tools.alertmanager`.

use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_form::table;

use super::alerts::Alerts;
use crate::error::ToolsError;
use crate::kind::{ToolKind, ToolParts};

table! {
    #[derive(Debug, Clone)]
    pub(crate) struct AlertmanagerSection {
        /// The base address of the server.
        endpoint: String,
    }
}

impl ToolKind for AlertmanagerSection {
    fn tools(&self, parts: &ToolParts) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        Ok(vec![Arc::new(Alerts::new(parts.client.clone(), &self.endpoint)?)])
    }
}
