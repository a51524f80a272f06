//! `NAME:tail`: the last lines of a file.

use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{ToolCall, ToolOutcome, ToolSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::bound;
use crate::error::ToolsError;
use crate::logs::LogFiles;
use crate::server::{OpenServer, ToolWords};
use crate::spec::args;

/// How many lines it returns unless it is told.
const LINES: usize = 50;
/// What an empty result says.
const NOTHING: &str = "no line fits";

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FileTailArgs {
    /// The file's name.
    file: String,
    /// How many lines; 50 without it.
    #[schemars(range(min = 1, max = 200))]
    lines: Option<usize>,
    /// Only lines that contain this text.
    contains: Option<String>,
}

/// The answer of `NAME:tail`.
#[derive(Debug, Serialize, JsonSchema)]
struct LastLines {
    /// The last lines that fit, the oldest first.
    lines: Vec<String>,
}

/// `NAME:tail`.
#[derive(Debug)]
pub(super) struct FileTail {
    spec: ToolSpec,
    files: Arc<LogFiles>,
}

impl FileTail {
    pub(super) fn new(server: &OpenServer<'_>, files: Arc<LogFiles>) -> Result<Self, ToolsError> {
        let about = format!("Reads the last lines of a log file; the files are: {}.", files.names());
        let spec = server.spec::<FileTailArgs, LastLines>(ToolWords::read("tail", &about))?;
        Ok(Self { spec, files })
    }
}

#[async_trait]
impl ToolBackend for FileTail {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let wanted: FileTailArgs = match args(call) {
            Ok(args) => args,
            Err(outcome) => return outcome,
        };
        let most = wanted.lines.unwrap_or(LINES);
        let fitting = match self.files.last_lines(&wanted.file, wanted.contains, most).await {
            Ok(fitting) => fitting,
            Err(outcome) => return outcome,
        };
        if fitting.is_empty() {
            return ToolOutcome::Empty { note: NOTHING.to_owned() };
        }
        // What does not fit loses its oldest lines.
        let mut kept = fitting.as_slice();
        let shown = |lines: &[String]| json!({"lines": lines});
        let whole = shown(kept).to_string().len();
        while shown(kept).to_string().len() > self.spec.output_limit && kept.len() > 1 {
            kept = kept.get(kept.len().div_ceil(2)..).unwrap_or_default();
        }
        match bound::outcome(&shown(kept), self.spec.output_limit, NOTHING) {
            ToolOutcome::Ok { content } if kept.len() < fitting.len() => {
                ToolOutcome::Truncated { content, total_bytes: whole as u64 }
            }
            outcome => outcome,
        }
    }
}
