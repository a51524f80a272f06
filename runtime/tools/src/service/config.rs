//! The section `tools.service`.

use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_form::table;

use super::endpoint;
use crate::claim::{self, RepeatSection, TargetText};
use crate::error::ToolsError;
use crate::kind::{ToolKind, ToolParts};
use crate::status::{StatusRules, StatusSet};

table! {
    #[derive(Debug, Clone)]
    pub(crate) struct ServiceSection {
        /// The base address of the admin interface.
        admin: String,
        /// What its tools act on; else the pack says it.
        target: Option<TargetText> = None,
        /// How often each of them may act there.
        repeat: Option<RepeatSection> = None,
        /// Statuses by which it says that it acted; 2xx without it.
        ok: Option<StatusSet> = None,
        /// Statuses by which it says that it did nothing.
        refused: Option<StatusSet> = None,
    }
}

impl ToolKind for ServiceSection {
    fn tools(&self, parts: &ToolParts) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let rules = StatusRules::new("service", self.ok.clone(), self.refused.clone())?;
        endpoint::all(&parts.client, &self.admin, &rules, &claim::rule(self.target.as_ref(), self.repeat))
    }
}
