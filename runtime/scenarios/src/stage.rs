//! What one session is played on: a model that speaks from the script, and tools that answer what the scenario says. The first
//! question or call without an answer ends the play.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use provost_domain::failure::{FailureKind, ModelFailure};
use provost_domain::ids::ToolName;
use provost_domain::model::{ModelReply, ModelRequest};
use provost_domain::port::{Clock, ModelProvider, ToolBackend};
use provost_domain::time::Timestamp;
use provost_domain::tool::{EffectClass, Happened, ToolCall, ToolFailure, ToolOutcome, ToolSpec};
use provost_form::{FormError, Position};
use provost_model::{NoReply, ScriptedProvider};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::shape::{RawFail, RawHappening, RawToolAnswer};

/// When every scenario begins: Monday, 2026-01-05, 10:00 UTC.
const BEGIN_MICROS: i64 = 1_767_607_200_000_000;
/// Most of a call's arguments that a message shows, in characters.
const SHOWN_MAX: usize = 300;

/// A clock that goes with virtual time.
#[derive(Debug)]
pub(crate) struct VirtualClock(Instant);

impl VirtualClock {
    /// At the beginning; needs a runtime whose time is paused.
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(BEGIN_MICROS).plus(self.0.elapsed())
    }
}

/// What happened so far that later answers depend on, and the first thing that had no answer.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    worked: Mutex<BTreeSet<ToolName>>,
    gap: Mutex<Option<FormError>>,
    ended: Notify,
}

impl Stage {
    /// Ends the play: something had no answer. Only the first one counts.
    fn end(&self, gap: FormError) {
        locked(&self.gap).get_or_insert(gap);
        self.ended.notify_waiters();
        self.ended.notify_one();
    }

    /// The first thing that had no answer.
    pub(crate) fn gap(&self) -> Option<FormError> {
        locked(&self.gap).clone()
    }

    /// Returns once something had no answer.
    pub(crate) async fn until_gap(&self) {
        self.ended.notified().await;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a tool answers.
#[derive(Debug, Clone)]
pub(crate) struct ToolScript {
    /// Where its name stands.
    place: Position,
    answers: Vec<ToolAnswer>,
}

#[derive(Debug, Clone)]
struct ToolAnswer {
    after: Option<ToolName>,
    does: AnswerKind,
}

#[derive(Debug, Clone)]
enum AnswerKind {
    Give(Value),
    Fail { timeout: bool, detail: Option<String>, happened: Option<RawHappening> },
}

impl ToolScript {
    pub(crate) fn new(place: Position, answers: &[RawToolAnswer]) -> Self {
        Self { place, answers: answers.iter().filter_map(ToolAnswer::of).collect() }
    }
}

impl ToolAnswer {
    /// Nothing where an answer could not be read, which was reported.
    fn of(raw: &RawToolAnswer) -> Option<Self> {
        let does = match (&raw.give, &raw.fail) {
            (Some(give), _) => AnswerKind::Give(give.value()),
            (None, Some(RawFail { timeout, detail, happened })) => AnswerKind::Fail {
                timeout: *timeout,
                detail: detail.as_ref().map(|detail| detail.value.clone()),
                happened: *happened,
            },
            (None, None) => return None,
        };
        Some(Self { after: raw.after.as_ref().map(|after| ToolName::new(&after.value)), does })
    }

    fn outcome(&self, spec: &ToolSpec) -> ToolOutcome {
        match &self.does {
            AnswerKind::Give(Value::Null) => ToolOutcome::Empty { note: "nothing was found".to_owned() },
            AnswerKind::Give(content) => ToolOutcome::Ok { content: content.clone() },
            AnswerKind::Fail { timeout, detail, happened } => {
                let timeout_ms = timeout.then(|| u64::try_from(spec.timeout.as_millis()).unwrap_or(u64::MAX));
                let lost = if *timeout { Happened::Maybe } else { Happened::No };
                let happened = match happened {
                    _ if spec.effect == EffectClass::Read => Happened::No,
                    Some(RawHappening::No) => Happened::No,
                    Some(RawHappening::Maybe) => Happened::Maybe,
                    None => lost,
                };
                let standard = || {
                    timeout_ms
                        .map_or_else(|| "as the scenario says".to_owned(), |ms| format!("no answer within {ms} ms"))
                };
                let failure = ToolFailure {
                    kind: if *timeout { FailureKind::Transient } else { FailureKind::Permanent },
                    happened,
                    detail: detail.clone().unwrap_or_else(standard),
                    exit: None,
                    signal: None,
                    timeout_ms,
                };
                ToolOutcome::Failed { failure }
            }
        }
    }
}

/// A tool as the scenario has it: declared as the real one, answering from the file.
#[derive(Debug)]
pub(crate) struct ToolDouble {
    spec: ToolSpec,
    script: Option<ToolScript>,
    file: PathBuf,
    /// Where the scenario's name stands, for a tool that it does not name.
    start: Position,
    stage: Arc<Stage>,
}

impl ToolDouble {
    pub(crate) fn new(
        spec: &ToolSpec,
        script: Option<&ToolScript>,
        (file, start): (PathBuf, Position),
        stage: &Arc<Stage>,
    ) -> Self {
        Self { spec: spec.clone(), script: script.cloned(), file, start, stage: Arc::clone(stage) }
    }

    fn gap(&self, call: &ToolCall) -> FormError {
        let args: String = call.args.to_string().chars().take(SHOWN_MAX).collect();
        let place = self.script.as_ref().map_or(self.start, |script| script.place);
        let message = format!("a call of `{}` has no answer: {args}", self.spec.name);
        let hint = format!("add one under `tools`: `\"{}\": [{{give: …}}]`", self.spec.name);
        FormError::at(&self.file, place, message, hint)
    }
}

#[async_trait]
impl ToolBackend for ToolDouble {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let answer = {
            let worked = locked(&self.stage.worked);
            let due = |answer: &&ToolAnswer| answer.after.as_ref().is_none_or(|after| worked.contains(after));
            self.script.iter().flat_map(|script| &script.answers).find(due).cloned()
        };
        let Some(answer) = answer else {
            self.stage.end(self.gap(call));
            return std::future::pending().await;
        };
        let outcome = answer.outcome(&self.spec);
        if !matches!(outcome, ToolOutcome::Failed { .. }) {
            locked(&self.stage.worked).insert(self.spec.name.clone());
        }
        outcome
    }
}

/// The models, as the scenario's script plays them.
#[derive(Debug)]
pub(crate) struct ModelDouble {
    pub(crate) script: Arc<ScriptedProvider>,
    pub(crate) file: PathBuf,
    /// Where the script is named.
    pub(crate) place: Position,
    pub(crate) stage: Arc<Stage>,
}

#[async_trait]
impl ModelProvider for ModelDouble {
    async fn ask(&self, request: &ModelRequest, _body: &[u8]) -> Result<ModelReply, ModelFailure> {
        match self.script.reply_to(request) {
            Ok(reply) => Ok(reply),
            Err(NoReply::Fault(failure)) => Err(failure),
            Err(NoReply::Gap(detail)) => {
                let hint = "add a rule to the script, or correct the one that is named";
                self.stage.end(FormError::at(&self.file, self.place, detail, hint));
                std::future::pending().await
            }
        }
    }
}
