//! `logs:tail`: the last lines of a named log file.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolCall, ToolOutcome, ToolSpec};
use rustix::fs::OFlags;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::bound;
use crate::error::ToolsError;
use crate::spec::{Declaration, OUTPUT_LIMIT, args, failed};

/// How much of a file's end is read.
const WINDOW: u64 = 256 * 1024;
/// Reads at once. One of a filesystem that does not answer keeps its thread until it does, or for ever: there are no more than these.
const READS_MAX: usize = 4;
/// How long a call waits for one of them.
const WAIT_MAX: Duration = Duration::from_secs(5);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TailArgs {
    /// The log's configured name.
    file: String,
    /// How many lines.
    #[schemars(range(min = 1, max = 200))]
    lines: Option<usize>,
    /// Only lines that contain this text.
    contains: Option<String>,
}

#[derive(Debug)]
pub(super) struct Tail {
    spec: ToolSpec,
    files: BTreeMap<String, PathBuf>,
    reads: Arc<Semaphore>,
}

impl Tail {
    pub(super) fn new(files: BTreeMap<String, PathBuf>) -> Result<Self, ToolsError> {
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        let spec = Declaration {
            name: "logs:tail",
            description: &format!("Reads the last lines of a log file; the files are: {}.", names.join(", ")),
            effect: EffectClass::Read,
            risk: Risk::Low,
            timeout: Duration::from_secs(10),
        }
        .spec::<TailArgs>()?;
        Ok(Self { spec, files, reads: Arc::new(Semaphore::new(READS_MAX)) })
    }

    /// The end of a file, read in one of the few threads there are for that.
    async fn read(&self, path: &Path) -> Result<String, (FailureKind, String)> {
        let free = timeout(WAIT_MAX, Arc::clone(&self.reads).acquire_owned()).await;
        let Ok(Ok(permit)) = free else {
            let detail =
                format!("{READS_MAX} earlier reads did not come back; does the filesystem of the logs answer?");
            return Err((FailureKind::Transient, detail));
        };
        let path = path.to_owned();
        let read = spawn_blocking(move || {
            let end = end_of(&path);
            drop(permit);
            end
        });
        match read.await {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidInput => {
                Err((FailureKind::Permanent, error.to_string()))
            }
            Ok(Err(error)) => Err((FailureKind::Transient, error.to_string())),
            Err(error) => Err((FailureKind::Transient, format!("the read ended by a fault of ours: {error}"))),
        }
    }
}

#[async_trait]
impl ToolBackend for Tail {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let wanted: TailArgs = match args(call) {
            Ok(args) => args,
            Err(outcome) => return outcome,
        };
        let Some(path) = self.files.get(&wanted.file) else {
            let names: Vec<&str> = self.files.keys().map(String::as_str).collect();
            let detail = format!("no log `{}`; there are: {}", wanted.file, names.join(", "));
            return failed(Happened::No, FailureKind::Permanent, detail);
        };
        let text = match self.read(path).await {
            Ok(text) => text,
            Err((kind, detail)) => return failed(Happened::No, kind, format!("log `{}`: {detail}", wanted.file)),
        };
        let contains = wanted.contains.unwrap_or_default();
        let fitting: Vec<&str> = text.lines().filter(|line| line.contains(&contains)).collect();
        let skip = fitting.len().saturating_sub(wanted.lines.unwrap_or(50).min(200));
        let lines: Vec<&str> = fitting.into_iter().skip(skip).collect();
        let content = if lines.is_empty() { Value::Null } else { json!({"lines": lines}) };
        bound::outcome(&content, OUTPUT_LIMIT, "no line fits")
    }
}

/// The end of a regular file. A pipe is opened without waiting for somebody to write to it, and then refused.
fn end_of(path: &Path) -> io::Result<String> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut file = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let length = metadata.len();
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

    fn tail(path: &Path) -> Tail {
        Tail::new([("shop".to_owned(), path.to_owned())].into()).unwrap()
    }

    #[test]
    fn a_pipe_is_refused_without_a_wait() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let error = end_of(&path).unwrap_err();
        assert_eq!(error.to_string(), "it is not a regular file");
    }

    #[tokio::test(start_paused = true)]
    async fn reads_that_do_not_come_back_are_few() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.log");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        let tail = tail(&path);
        let hanging = Arc::clone(&tail.reads).acquire_many_owned(4).await.unwrap();
        let (kind, detail) = tail.read(&path).await.unwrap_err();
        assert!(kind == FailureKind::Transient && detail.contains("4 earlier reads did not come back"), "{detail}");
        drop(hanging);
        assert_eq!(tail.read(&path).await.unwrap(), "one\ntwo\n");
    }
}
