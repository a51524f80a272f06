//! `logs:tail`: the last lines of a named log file.

use std::collections::BTreeMap;
use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolCall, ToolOutcome, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

use crate::bound;
use crate::error::ToolsError;
use crate::spec::{Declaration, OUTPUT_LIMIT, args, failed};

/// How much of a file's end is read.
const WINDOW: u64 = 256 * 1024;

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
        Ok(Self { spec, files })
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
        let text = match end_of(path).await {
            Ok(text) => text,
            Err(error) => {
                return failed(Happened::No, FailureKind::Transient, format!("log `{}`: {error}", wanted.file));
            }
        };
        let contains = wanted.contains.unwrap_or_default();
        let fitting: Vec<&str> = text.lines().filter(|line| line.contains(&contains)).collect();
        let skip = fitting.len().saturating_sub(wanted.lines.unwrap_or(50).min(200));
        let lines: Vec<&str> = fitting.into_iter().skip(skip).collect();
        let content = if lines.is_empty() { Value::Null } else { json!({"lines": lines}) };
        bound::outcome(&content, OUTPUT_LIMIT, "no line fits")
    }
}

async fn end_of(path: &Path) -> std::io::Result<String> {
    let mut file = tokio::fs::File::open(path).await?;
    let length = file.metadata().await?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(WINDOW))).await?;
    let mut bytes = Vec::new();
    file.take(WINDOW).read_to_end(&mut bytes).await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // The first line of a window in a file's middle is half a line.
    Ok(if length > WINDOW { text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default() } else { text })
}
