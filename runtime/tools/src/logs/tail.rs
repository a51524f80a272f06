//! `logs:tail`: the last lines of a named log file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Risk, ToolCall, ToolOutcome, ToolSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::reader::LogFiles;
use crate::bound;
use crate::error::ToolsError;
use crate::spec::{Declaration, OUTPUT_LIMIT, args};

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
    files: LogFiles,
}

impl Tail {
    pub(super) fn new(files: BTreeMap<String, PathBuf>) -> Result<Self, ToolsError> {
        let files = LogFiles::new(files);
        let spec = Declaration {
            name: "logs:tail",
            description: &format!("Reads the last lines of a log file; the files are: {}.", files.names()),
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
        let most = wanted.lines.unwrap_or(50).min(200);
        let lines = match self.files.last_lines(&wanted.file, wanted.contains, most).await {
            Ok(lines) => lines,
            Err(outcome) => return outcome,
        };
        let content = if lines.is_empty() { Value::Null } else { json!({"lines": lines}) };
        bound::outcome(&content, OUTPUT_LIMIT, "no line fits")
    }
}
