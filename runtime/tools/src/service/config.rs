//! The section `tools.service`.

use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_form::table;

use super::endpoint;
use crate::claim::{self, RepeatSection, TargetText};
use crate::error::ToolsError;
use crate::kind::{ToolKind, ToolParts};

table! {
    #[derive(Debug, Clone)]
    pub(crate) struct ServiceSection {
        /// The base address of the admin interface.
        admin: String,
        /// What its tools act on; else the pack says it.
        target: Option<TargetText> = None,
        /// How often each of them may act there.
        repeat: Option<RepeatSection> = None,
    }
}

impl ToolKind for ServiceSection {
    fn tools(&self, parts: &ToolParts) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        endpoint::all(&parts.client, &self.admin, &claim::rule(self.target.as_ref(), self.repeat))
    }
}
