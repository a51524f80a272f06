//! The section `tools.logs`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_form::table;

use super::tail::Tail;
use crate::error::ToolsError;
use crate::kind::{ToolKind, ToolParts};

table! {
    #[derive(Debug, Clone)]
    pub(crate) struct LogsSection {
        /// The files, by the name the model uses. Without one there is no tool.
        files: BTreeMap<String, PathBuf>,
    }
}

impl ToolKind for LogsSection {
    fn tools(&self, _: &ToolParts) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        if self.files.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![Arc::new(Tail::new(self.files.clone())?)])
    }
}
