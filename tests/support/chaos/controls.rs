//! The controls: the campaign on a program that does without one of its mechanisms must find a rule broken. Otherwise the
//! campaign proves nothing about that mechanism.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Progress, QUIET_MAX, Report, Settings, run};

/// Kills of one try.
const KILLS: u32 = 12;
/// Tries of a control, each with a seed of its own.
const TRIES: u64 = 4;
/// How long a session may hang before it counts as stuck.
const QUIET: Duration = Duration::from_secs(25);
/// What has to be missing for two processes to have one store.
const LOCK: &str = "lock";

/// The mechanisms, as the program is told to do without them.
pub const CONTROLS: [(&str, Shown); 4] = [
    ("intent", Shown::ByOneDaemon),
    ("consumption", Shown::ByOneDaemon),
    ("wake_seq", Shown::ByOneDaemon),
    ("fence", Shown::ByTwoDaemons),
];

/// Where a control is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// By the campaign as it is.
    ByOneDaemon,
    /// By two daemons on one store, which a program without its lock file allows. With the mechanism all must hold.
    ByTwoDaemons,
}

/// What a control came to.
#[derive(Debug, Clone)]
pub struct Control {
    /// The mechanism that was missing.
    pub without: &'static str,
    /// Where it was shown.
    pub shown: Shown,
    /// What was found broken; nothing if the control failed.
    pub found: Vec<String>,
    /// Kills it took.
    pub kills: u32,
    /// Where two daemons were needed: the same with the mechanism, in which nothing may be broken.
    pub counterpart: Option<Report>,
}

impl Control {
    /// Whether something was found broken, as must be, and nothing in the counterpart.
    pub fn is_red(&self) -> bool {
        !self.found.is_empty() && self.counterpart.as_ref().is_none_or(holds)
    }

    /// For people: what was found, and how its counterpart went.
    pub fn verdict(&self) -> String {
        let Self { found, counterpart, .. } = self;
        let found = if found.is_empty() {
            "NOT RED: no rule was broken".to_owned()
        } else {
            format!("red: {}", found.join(", "))
        };
        match counterpart {
            None => found,
            Some(with) if holds(with) => format!("{found}; with it clean, {} owners stopped", with.noticed()),
            Some(with) if with.is_clean() => format!("{found}; WITH IT NOBODY MET"),
            Some(with) => format!("{found}; WITH IT BROKEN: {}", with.broken().join(", ")),
        }
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        let shown = match self.shown {
            Shown::ByOneDaemon => "one daemon",
            Shown::ByTwoDaemons => "two daemons on one store",
        };
        json!({"without": self.without, "red": self.is_red(), "shown_by": shown, "kills": self.kills,
            "found": self.found, "with_it": self.counterpart.as_ref().map(Report::to_json)})
    }
}

/// Whether two daemons met and all held.
fn holds(report: &Report) -> bool {
    report.is_clean() && report.noticed() > 0
}

/// Runs one control on a program built with the feature `controls`.
pub async fn control(
    program: &Path,
    (without, shown): (&'static str, Shown),
    seed: u64,
    progress: impl Fn(Progress),
) -> Control {
    let (meetings, removed) = match shown {
        Shown::ByOneDaemon => (false, without.to_owned()),
        Shown::ByTwoDaemons => (true, format!("{LOCK},{without}")),
    };
    let settings = |seed, removed: &str, quiet| Settings {
        program: program.to_owned(),
        kills: KILLS,
        seed,
        fill_disk: false,
        quiet,
        meetings,
        environment: vec![("PROVOST_WITHOUT".to_owned(), removed.to_owned())],
    };
    let mut control = Control { without, shown, found: Vec::new(), kills: 0, counterpart: None };
    if meetings {
        control.counterpart = Some(run(settings(seed, LOCK, QUIET_MAX), &progress).await);
    }
    for attempt in 0..TRIES {
        let report = run(settings(seed.wrapping_add(attempt), &removed, QUIET), &progress).await;
        control.kills += report.troubles().kills;
        control.found = report.broken();
        report.forget();
        if !control.found.is_empty() {
            break;
        }
    }
    control
}
