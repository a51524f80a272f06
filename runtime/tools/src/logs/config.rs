//! The section `tools.logs`.

use std::collections::BTreeMap;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use provost_domain::port::ToolBackend;
use provost_form::table;

use super::tail::Tail;
use crate::error::ToolsError;
use crate::kind::{ToolKind, ToolParts};

/// How long it may take to look at a file when the configuration is read.
const LOOK_MAX: Duration = Duration::from_secs(2);

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
        for (name, path) in &self.files {
            require_regular("logs", name, path)?;
        }
        Ok(vec![Arc::new(Tail::new(self.files.clone())?)])
    }
}

/// Refuses what is there and is not a regular file: a pipe never ends, a device may do anything. A log that is not there yet may come,
/// and of a filesystem that does not answer nobody knows.
pub(crate) fn require_regular(section: &str, name: &str, path: &Path) -> Result<(), ToolsError> {
    let (sender, receiver) = sync_channel(1);
    let looked_at = path.to_owned();
    // A thread of its own: to look at a hung mount may take for ever.
    drop(thread::spawn(move || drop(sender.send(looked_at.metadata()))));
    let what = match receiver.recv_timeout(LOOK_MAX) {
        Ok(Ok(metadata)) if metadata.is_file() => return Ok(()),
        Ok(Ok(metadata)) if metadata.is_dir() => "a folder",
        Ok(Ok(metadata)) if metadata.file_type().is_fifo() => "a pipe",
        Ok(Ok(_)) => "a device or a socket",
        Ok(Err(_)) | Err(_) => return Ok(()),
    };
    Err(ToolsError::LogFile { section: section.to_owned(), name: name.to_owned(), path: path.to_owned(), what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &Path, expect: Option<&str>) {
        let refused = require_regular("logs", "shop", path).err().map(|error| error.to_string());
        assert_eq!(refused.is_some(), expect.is_some(), "{refused:?}");
        assert!(expect.is_none_or(|what| refused.unwrap_or_default().contains(what)));
    }

    #[test]
    fn only_a_regular_file_is_a_log() {
        let folder = tempfile::tempdir().unwrap();
        let (log, pipe) = (folder.path().join("log"), folder.path().join("pipe"));
        std::fs::write(&log, "").unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        check(&log, None);
        check(&folder.path().join("later"), None);
        check(folder.path(), Some("is a folder"));
        check(&pipe, Some("is a pipe"));
        check(Path::new("/dev/null"), Some("is a device or a socket"));
    }
}
