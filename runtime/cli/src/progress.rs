//! How far a long work got, on standard error and only for people at a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often a waiting line moves.
const TICK: Duration = Duration::from_millis(120);

/// A line that moves while work goes on; gone when dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Of so many things.
    pub(crate) fn of(total: u64, what: &'static str) -> Self {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len}");
        Self::show(ProgressBar::new(total), style.ok(), what)
    }

    /// Of something without a measure.
    pub(crate) fn waiting(what: &'static str) -> Self {
        Self::show(ProgressBar::new_spinner(), None, what)
    }

    fn show(bar: ProgressBar, style: Option<ProgressStyle>, what: &'static str) -> Self {
        if let Some(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(TICK);
        Self { bar }
    }

    /// One more is done.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }

    /// Prints something else meanwhile.
    pub(crate) fn aside(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
