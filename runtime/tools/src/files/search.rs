//! `NAME:search`: the lines of a file that a pattern fits.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{Happened, ToolCall, ToolOutcome, ToolSpec};
use regex::bytes::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::bound;
use crate::error::ToolsError;
use crate::logs::LogFiles;
use crate::redact::redact;
use crate::server::{OpenServer, ToolWords};
use crate::spec::{args, failed};

/// How much of a file's end is searched.
const WINDOW: u64 = 16 * 1024 * 1024;
/// How many lines it returns unless it is told.
const LINES: usize = 50;
/// Longest line that is shown whole, in characters.
const LINE_MAX: usize = 2000;
/// Largest compiled pattern, in bytes.
const PATTERN_MAX: usize = 1024 * 1024;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FileSearchArgs {
    /// The file's name.
    file: String,
    /// A regular expression without look-around and back references.
    #[schemars(length(min = 1, max = 500), extend("x-syntax" = "regex"))]
    pattern: String,
    /// How many lines, the newest; 50 without it.
    #[schemars(range(min = 1, max = 200))]
    lines: Option<usize>,
}

/// The answer of `NAME:search`.
#[derive(Debug, Serialize, JsonSchema)]
struct FoundLines {
    /// How many lines fit, also those that are not listed.
    matched: usize,
    /// The lines that fit, the oldest first.
    lines: Vec<NumberedLine>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct NumberedLine {
    /// From 1; nothing where the beginning of the file was not read.
    number: Option<usize>,
    text: String,
}

/// What was found in the part of a file that was read.
#[derive(Debug)]
struct SearchedFile {
    matched: usize,
    /// The newest of them, each with its number in the part that was read, from 1.
    lines: Vec<(usize, String)>,
    /// The file's size, where only its end was read.
    end_of: Option<u64>,
}

/// `NAME:search`.
#[derive(Debug)]
pub(super) struct FileSearch {
    spec: ToolSpec,
    files: Arc<LogFiles>,
}

impl FileSearch {
    pub(super) fn new(server: &OpenServer<'_>, files: Arc<LogFiles>) -> Result<Self, ToolsError> {
        let about = format!("Finds lines of a log file by a regular expression; the files are: {}.", files.names());
        let spec = server.spec::<FileSearchArgs, FoundLines>(ToolWords::read("search", &about))?;
        Ok(Self { spec, files })
    }
}

/// Searches the end of an open file of this length.
fn search(mut file: File, length: u64, pattern: &Regex, most: usize) -> io::Result<SearchedFile> {
    file.seek(SeekFrom::Start(length.saturating_sub(WINDOW)))?;
    let mut bytes = Vec::new();
    file.take(WINDOW).read_to_end(&mut bytes)?;
    // The first line of a window in a file's middle is half a line.
    let lines = bytes.split(|byte| *byte == b'\n').enumerate().skip(usize::from(length > WINDOW));
    let mut found = SearchedFile { matched: 0, lines: Vec::new(), end_of: (length > WINDOW).then_some(length) };
    for (at, line) in lines.filter(|(_, line)| pattern.is_match(line)) {
        found.matched += 1;
        let text = String::from_utf8_lossy(line);
        found.lines.push((at + 1, text.trim_end_matches('\r').chars().take(LINE_MAX).collect()));
        // Twice as many as wanted at most, so that each is moved once.
        if found.lines.len() >= most * 2 {
            found.lines.drain(..most);
        }
    }
    let skip = found.lines.len().saturating_sub(most);
    found.lines.drain(..skip);
    Ok(found)
}

impl SearchedFile {
    fn outcome(self, output: usize) -> ToolOutcome {
        let nothing = "no line fits the pattern";
        let numbered = self.end_of.is_none();
        if self.matched == 0 && numbered {
            return ToolOutcome::Empty { note: nothing.to_owned() };
        }
        let line =
            |(number, text): &(usize, String)| NumberedLine { number: numbered.then_some(*number), text: redact(text) };
        let mut kept = self.lines.as_slice();
        let shown = |lines: &[(usize, String)]| {
            json!(FoundLines { matched: self.matched, lines: lines.iter().map(line).collect() })
        };
        while shown(kept).to_string().len() > output && kept.len() > 1 {
            kept = kept.get(kept.len().div_ceil(2)..).unwrap_or_default();
        }
        let cut = kept.len() < self.matched || self.end_of.is_some();
        let bytes = self.lines.iter().map(|(_, text)| text.len() as u64).sum();
        match bound::outcome(&shown(kept), output, nothing) {
            ToolOutcome::Ok { content } if cut => {
                ToolOutcome::Truncated { content, total_bytes: self.end_of.unwrap_or(bytes) }
            }
            outcome => outcome,
        }
    }
}

#[async_trait]
impl ToolBackend for FileSearch {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let wanted: FileSearchArgs = match args(call) {
            Ok(args) => args,
            Err(outcome) => return outcome,
        };
        let pattern = RegexBuilder::new(&wanted.pattern).size_limit(PATTERN_MAX).dfa_size_limit(PATTERN_MAX).build();
        let pattern = match pattern {
            Ok(pattern) => pattern,
            Err(error) => {
                return failed(Happened::No, FailureKind::Permanent, format!("the pattern cannot be used: {error}"));
            }
        };
        let most = wanted.lines.unwrap_or(LINES);
        let searched = self.files.read(&wanted.file, move |file, length| search(file, length, &pattern, most)).await;
        searched.map_or_else(|outcome| outcome, |searched| searched.outcome(self.spec.output_limit))
    }
}
