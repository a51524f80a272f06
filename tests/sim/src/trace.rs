//! What is wrong, and, where asked for, everything that happened.

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::SimClock;

/// Most problems kept of one seed: the first one is the cause, the rest seldom adds to it.
const PROBLEMS_MAX: usize = 20;

/// The notes of one simulation, shared by its clones.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    clock: Arc<SimClock>,
    lines: Option<Arc<Mutex<Vec<String>>>>,
    problems: Arc<Mutex<Vec<String>>>,
}

impl Trace {
    /// Without a line so far; lines are kept if `full`.
    pub(crate) fn new(clock: Arc<SimClock>, full: bool) -> Self {
        Self { clock, lines: full.then(Arc::default), problems: Arc::default() }
    }

    /// Something happened.
    pub(crate) fn line(&self, text: impl FnOnce() -> String) {
        if let Some(lines) = &self.lines {
            let at = self.clock.elapsed().as_secs_f64();
            lines.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{at:9.3}  {}", text()));
        }
    }

    /// Something happened that may not.
    pub(crate) fn problem(&self, text: String) {
        self.line(|| format!("VIOLATION {text}"));
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if problems.len() < PROBLEMS_MAX && !problems.contains(&text) {
            problems.push(text);
        }
    }

    /// Everything that happened, as far as it was kept.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.lines.as_ref().map(|lines| lines.lock().unwrap_or_else(PoisonError::into_inner).clone());
        lines.unwrap_or_default()
    }

    /// Everything that is wrong.
    pub(crate) fn problems(&self) -> Vec<String> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
