//! The section `tools.service`.

use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_form::table;

use super::endpoint;
use crate::error::ToolsError;
use crate::kind::{ToolKind, ToolParts};

table! {
    #[derive(Debug, Clone)]
    pub(crate) struct ServiceSection {
        /// The base address of the admin interface.
        admin: String,
    }
}

impl ToolKind for ServiceSection {
    fn tools(&self, parts: &ToolParts) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        endpoint::all(&parts.client, &self.admin)
    }
}
