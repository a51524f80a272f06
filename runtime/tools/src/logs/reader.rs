//! Reading of named files: few at once, and only regular ones.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use provost_domain::failure::FailureKind;
use provost_domain::tool::{Happened, ToolOutcome};
use rustix::fs::OFlags;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::spec::failed;

/// How much of a file's end is read.
const WINDOW: u64 = 256 * 1024;
/// Reads at once. One of a filesystem that does not answer keeps its thread until it does, or for ever: there are no more than these.
const READS_MAX: usize = 4;
/// How long a call waits for one of them.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Files by the names that models use.
#[derive(Debug)]
pub(crate) struct LogFiles {
    files: BTreeMap<String, PathBuf>,
    reads: Arc<Semaphore>,
}

impl LogFiles {
    pub(crate) fn new(files: BTreeMap<String, PathBuf>) -> Self {
        Self { files, reads: Arc::new(Semaphore::new(READS_MAX)) }
    }

    /// The names, for descriptions and errors.
    pub(crate) fn names(&self) -> String {
        self.files.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    /// The last lines at a file's end that contain a text, at most so many, oldest first.
    pub(crate) async fn last_lines(
        &self,
        name: &str,
        contains: Option<String>,
        most: usize,
    ) -> Result<Vec<String>, ToolOutcome> {
        let text = self.read(name, end_of).await?;
        let contains = contains.unwrap_or_default();
        let fitting: Vec<&str> = text.lines().filter(|line| line.contains(&contains)).collect();
        Ok(fitting.into_iter().rev().take(most).rev().map(str::to_owned).collect())
    }

    /// Does something with an open file and its length, in one of the few threads there are for that.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce(File, u64) -> io::Result<T> + Send + 'static,
    ) -> Result<T, ToolOutcome> {
        let Some(path) = self.files.get(name) else {
            let detail = format!("no log `{name}`; there are: {}", self.names());
            return Err(failed(Happened::No, FailureKind::Permanent, detail));
        };
        let read = self.in_thread(path, work).await;
        read.map_err(|(kind, detail)| failed(Happened::No, kind, format!("log `{name}`: {detail}")))
    }

    async fn in_thread<T: Send + 'static>(
        &self,
        path: &Path,
        work: impl FnOnce(File, u64) -> io::Result<T> + Send + 'static,
    ) -> Result<T, (FailureKind, String)> {
        let free = timeout(WAIT_MAX, Arc::clone(&self.reads).acquire_owned()).await;
        let Ok(Ok(permit)) = free else {
            let detail =
                format!("{READS_MAX} earlier reads did not come back; does the filesystem of the logs answer?");
            return Err((FailureKind::Transient, detail));
        };
        let path = path.to_owned();
        let read = spawn_blocking(move || {
            let done = open(&path).and_then(|(file, length)| work(file, length));
            drop(permit);
            done
        });
        match read.await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidInput => {
                Err((FailureKind::Permanent, error.to_string()))
            }
            Ok(Err(error)) => Err((FailureKind::Transient, error.to_string())),
            Err(error) => Err((FailureKind::Transient, format!("the read ended by a fault of ours: {error}"))),
        }
    }
}

/// Opens a regular file. A pipe is opened without waiting for somebody to write to it, and then refused.
fn open(path: &Path) -> io::Result<(File, u64)> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    Ok((file, metadata.len()))
}

/// The end of an open file of this length.
fn end_of(mut file: File, length: u64) -> io::Result<String> {
    file.seek(SeekFrom::Start(length.saturating_sub(WINDOW)))?;
    let mut bytes = Vec::new();
    file.take(WINDOW).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // The first line of a window in a file's middle is half a line.
    Ok(if length > WINDOW { text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default() } else { text })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_pipe_is_refused_without_a_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let error = open(&path).unwrap_err();
        assert_eq!(error.to_string(), "it is not a regular file");
    }

    #[tokio::test(start_paused = true)]
    async fn reads_that_do_not_come_back_are_few() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.log");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        let files = LogFiles::new([("shop".to_owned(), path.clone())].into());
        let hanging = Arc::clone(&files.reads).acquire_many_owned(4).await.unwrap();
        let (kind, detail) = files.in_thread(&path, end_of).await.unwrap_err();
        assert!(kind == FailureKind::Transient && detail.contains("4 earlier reads did not come back"), "{detail}");
        drop(hanging);
        assert_eq!(files.in_thread(&path, end_of).await.unwrap(), "one\ntwo\n");
    }
}
