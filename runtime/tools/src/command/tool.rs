//! `SERVER:TOOL` of a server of the kind `command`: one program, and what its end means.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolCall, ToolFailure, ToolOutcome, ToolSpec};
use serde_json::{Value, json};

use super::entry::CommandEntry;
use super::exits::ExitWord;
use crate::bound;
use crate::error::ToolsError;
use crate::http::{TEXT_MAX, start};
use crate::mapping::AnswerForm;
use crate::process::{Launcher, ProgramAnswer, ProgramEnd};
use crate::redact::redact;
use crate::server::{OpenServer, ToolWords};
use crate::spec::failed;

/// What a command that printed nothing says.
const NOTHING: &str = "the command printed nothing";

/// One program with its arguments.
#[derive(Debug)]
pub(super) struct CommandTool {
    spec: ToolSpec,
    launcher: Launcher,
    entry: Arc<CommandEntry>,
}

impl CommandTool {
    pub(super) fn new(
        server: &OpenServer<'_>,
        launcher: Launcher,
        entry: &Arc<CommandEntry>,
    ) -> Result<Self, ToolsError> {
        let about = format!("Runs `{}`.", entry.argv.shown());
        let words = ToolWords {
            tool: &entry.name,
            about: &about,
            effect: EffectClass::Unsafe,
            risk: Risk::High,
            timeout: Duration::from_secs(30),
        };
        let spec = server.spec_of(words, entry.args.clone(), Some(entry.result.schema().clone()))?;
        Ok(Self { spec, launcher, entry: Arc::clone(entry) })
    }

    /// A failure of a program that was started. A read that failed never happened.
    fn broken(&self, happened: Happened, exit: Option<i32>, signal: Option<i32>, detail: &str) -> ToolOutcome {
        let happened = if self.entry.reads_only { Happened::No } else { happened };
        let (kind, detail) = (FailureKind::Permanent, redact(detail));
        ToolOutcome::Failed { failure: ToolFailure { kind, happened, detail, exit, signal, timeout_ms: None } }
    }

    fn outcome(&self, answer: &ProgramAnswer, args: &Value) -> ToolOutcome {
        let said = [&answer.stderr, &answer.stdout].into_iter().find(|output| !output.text.trim().is_empty());
        let said = said.map(|output| format!(": {}", start(output.text.trim()))).unwrap_or_default();
        let code = match answer.ended {
            ProgramEnd::Exit(code) => code,
            ProgramEnd::Signal(signal) => {
                let detail = format!("the program was ended by signal {signal}{said}");
                return self.broken(Happened::Maybe, None, Some(signal), &detail);
            }
            ProgramEnd::Unknown => {
                return self.broken(
                    Happened::Maybe,
                    None,
                    None,
                    &format!("how the program ended cannot be told{said}"),
                );
            }
        };
        let failed = |happened| self.broken(happened, Some(code), None, &format!("exit code {code}{said}"));
        match self.entry.exits.word(code) {
            ExitWord::Worked => self.worked(code, answer, args),
            ExitWord::Refused => failed(Happened::No),
            ExitWord::Failed => failed(Happened::Answered),
        }
    }

    fn worked(&self, code: i32, answer: &ProgramAnswer, args: &Value) -> ToolOutcome {
        let (stdout, stderr) = (redact(&answer.stdout.text), redact(&answer.stderr.text));
        if self.entry.reads_only && stdout.trim().is_empty() && stderr.trim().is_empty() {
            return ToolOutcome::Empty { note: NOTHING.to_owned() };
        }
        let total_bytes = answer.stdout.bytes + answer.stderr.bytes;
        if answer.stdout.is_cut || answer.stderr.is_cut {
            return ToolOutcome::Truncated { content: self.within(code, &stdout, &stderr), total_bytes };
        }
        let as_it_came = json!({"exit": code, "stdout": stdout, "stderr": stderr});
        let read: Value = serde_json::from_str(&stdout).unwrap_or_default();
        let data = json!({"exit": code, "stdout": stdout, "stderr": stderr, "json": read, "args": args});
        let nothing = self.entry.reads_only.then_some(NOTHING);
        let limit = self.spec.output_limit;
        match self.entry.result.outcome(&AnswerForm { as_it_came: &as_it_came, data: &data, limit, nothing }) {
            // Texts keep as much of their beginning as there is room for.
            ToolOutcome::Truncated { .. } if self.entry.result.is_whole() => {
                ToolOutcome::Truncated { content: self.within(code, &stdout, &stderr), total_bytes }
            }
            outcome => outcome,
        }
    }

    /// The answer as it came, cut so that it fits.
    fn within(&self, code: i32, stdout: &str, stderr: &str) -> Value {
        let head = |text: &str, share: usize| text.chars().take(share).collect::<String>();
        bound::longest(
            self.spec.output_limit,
            &|share| json!({"exit": code, "stdout": head(stdout, share), "stderr": head(stderr, share / 4)}),
        )
    }
}

#[async_trait]
impl ToolBackend for CommandTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let data = json!({"args": &*call.args});
        let unwritten =
            |why: String| failed(Happened::No, FailureKind::Permanent, format!("nothing was started: {why}"));
        let words = self.entry.argv.filled(&data).and_then(|argv| Ok((argv, self.entry.input.bytes(&data)?)));
        let (argv, input) = match words {
            Ok(words) => words,
            Err(why) => return unwritten(why),
        };
        let key: Vec<(&str, &str)> = self.entry.key.iter().map(|name| (name.as_str(), call.key.as_str())).collect();
        match self.launcher.run(&argv, &key, &input, TEXT_MAX).await {
            Ok(answer) => self.outcome(&answer, &call.args),
            Err(fault) => {
                let kind = if fault.may_pass { FailureKind::Transient } else { FailureKind::Permanent };
                failed(Happened::No, kind, fault.detail)
            }
        }
    }
}
