//! Log files of this machine, by names of the site's own.

mod search;
mod tail;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_domain::tool::EffectClass;
use provost_form::{ErrorLog, Table};

use crate::error::ToolsError;
use crate::logs::{LogFiles, require_regular};
use crate::server::{DeclaredTool, OpenServer, ServerKind};

/// A server of the kind `files`: a name for each file.
#[derive(Debug)]
pub(crate) struct FilesServer(BTreeMap<String, PathBuf>);

impl ServerKind for FilesServer {
    const KEYS: &'static [&'static str] = &["files"];

    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        let files: BTreeMap<String, PathBuf> = table.required("files", log);
        if let Some(node) = table.get("files").filter(|node| node.is_table() && files.is_empty()) {
            log.report(node.place, "no file is named", "write `NAME: PATH`");
        }
        Self(files)
    }

    fn declared(&self) -> Vec<DeclaredTool<'_>> {
        ["tail", "search"].map(|name| DeclaredTool { name, effect: EffectClass::Read }).into()
    }

    fn tools(&self, server: &OpenServer<'_>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        for (name, path) in &self.0 {
            require_regular(server.name(), name, path)?;
        }
        let files = Arc::new(LogFiles::new(self.0.clone()));
        Ok(vec![
            Arc::new(tail::FileTail::new(server, Arc::clone(&files))?),
            Arc::new(search::FileSearch::new(server, files)?),
        ])
    }
}
