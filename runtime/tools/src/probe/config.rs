//! The section `tools.http`.

use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_form::table;

use super::request::Probe;
use crate::error::ToolsError;
use crate::kind::{ToolKind, ToolParts};

table! {
    #[derive(Debug, Clone)]
    pub(crate) struct ProbeSection {
        /// The `host:port`s that may be looked at. Without one there is no tool.
        allow: Vec<String>,
    }
}

impl ToolKind for ProbeSection {
    fn tools(&self, parts: &ToolParts) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        if self.allow.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Arc::new(Probe::new(parts.client.clone(), self.allow.clone())?)])
    }
}
