//! What a campaign came to.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

/// The rules, each of which must be broken by nothing.
pub(super) const RULES: [(&str, &str); 14] = [
    ("acknowledged_lost", "acknowledged appends lost"),
    ("done_twice", "commands applied twice under one key"),
    ("refused", "commands refused although nobody else gave any"),
    ("unanswered", "commands never answered"),
    ("fenced", "appends of an owner whose session had been taken over"),
    ("unsafe_twice", "unsafe effects twice"),
    ("probed_twice", "effects twice of a tool that says whether they happened"),
    ("changed_key", "idempotent effects under a changed key"),
    ("without_intent", "effects without an intent in the log"),
    ("outcome_without_effect", "calls that worked, of which the witness knows nothing"),
    ("untrue", "recorded outcomes that are not what the witness did"),
    ("messages_lost", "stored notifications that never arrived"),
    ("stuck", "sessions neither closed, parked nor in doubt"),
    ("audit", "problems found by `audit verify`"),
];
/// Breaches shown of one rule.
const SHOWN_MAX: usize = 10;

/// What befell the daemon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Troubles {
    /// kill -9.
    pub kills: u32,
    /// Of them, those at an instant of a call that the witness chose.
    pub struck: u32,
    /// SIGSTOP and SIGCONT.
    pub halts: u32,
    /// Times the disk was full.
    pub full: u32,
    /// Times the daemon ended because of it.
    pub died_of_full: u32,
    /// SIGTERM and a new start.
    pub restarts: u32,
    /// Times two daemons had one store.
    pub meetings: u32,
    /// Starts that were waited for.
    pub starts: u32,
}

/// Counted in the logs and by the witness.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    pub(super) sessions: u64,
    pub(super) appends: u64,
    pub(super) events: u64,
    pub(super) takeovers: u64,
    pub(super) doubts: u64,
    pub(super) reissued: u64,
    /// How often an owner was told that its session had been taken over.
    pub(super) noticed: usize,
    pub(super) statuses: BTreeMap<String, u64>,
    /// Why sessions ended as `error` or `needs_review`.
    pub(super) failures: BTreeMap<String, u64>,
    pub(super) unsafe_effects: u64,
    pub(super) probed_effects: u64,
    /// What tools said when they were asked whether a call happened, by finding.
    pub(super) findings: BTreeMap<String, u64>,
    pub(super) idempotent_effects: u64,
    pub(super) idempotent_repeats: u64,
    pub(super) notifications: u64,
    /// Answers with yes, events seen, refusals by code.
    pub(super) answers: u64,
    pub(super) seen: u64,
    pub(super) refusals: BTreeMap<String, u64>,
}

/// What a campaign came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub(super) seed: u64,
    pub(super) troubles: Troubles,
    pub(super) disk_full_skipped: Option<String>,
    pub(super) counted: Counted,
    pub(super) breaches: BTreeMap<&'static str, Vec<String>>,
    pub(super) took: Duration,
    pub(super) kept: Option<PathBuf>,
}

impl Report {
    /// Whether no rule was broken.
    pub fn is_clean(&self) -> bool {
        self.breaches.values().all(Vec::is_empty)
    }

    /// What befell the daemon.
    pub fn troubles(&self) -> Troubles {
        self.troubles
    }

    /// How often an owner was told that its session had been taken over: nothing is proven of owners that never met.
    pub fn noticed(&self) -> usize {
        self.counted.noticed
    }

    /// Where a broken campaign's store and configuration were left.
    pub fn kept(&self) -> Option<&Path> {
        self.kept.as_deref()
    }

    /// How many sessions, appends and takeovers there were.
    pub fn sizes(&self) -> (u64, u64, u64) {
        (self.counted.sessions, self.counted.appends, self.counted.takeovers)
    }

    /// The first breaches of each broken rule, for people.
    pub fn breaches(&self) -> Vec<String> {
        let named = |(rule, list): (&&'static str, &Vec<String>)| {
            list.iter().take(SHOWN_MAX).map(|breach| format!("{rule}: {breach}")).collect::<Vec<_>>()
        };
        self.breaches.iter().flat_map(named).collect()
    }

    /// The rules that were broken, and how often.
    pub fn broken(&self) -> Vec<String> {
        let broken = self.breaches.iter().filter(|(_, list)| !list.is_empty());
        broken.map(|(rule, list)| format!("{rule}: {}", list.len())).collect()
    }

    /// Removes what was kept of a broken campaign.
    pub(super) fn forget(self) {
        if let Some(kept) = self.kept {
            std::fs::remove_dir_all(kept).unwrap();
        }
    }

    pub(super) fn breach(&mut self, rule: &'static str, what: String) {
        self.breaches.entry(rule).or_default().push(what);
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        let Self { seed, troubles, disk_full_skipped, counted, took, kept, .. } = self;
        let count = |rule: &str| self.breaches.get(rule).map_or(0, Vec::len);
        let violations: BTreeMap<&str, usize> = RULES.iter().map(|(rule, _)| (*rule, count(rule))).collect();
        json!({
            "seed": seed,
            "kills": troubles.kills, "kills_within_calls": troubles.struck, "sigstops": troubles.halts, "restarts": troubles.restarts,
            "starts": troubles.starts,
            "disk_full": {"rounds": troubles.full, "deaths": troubles.died_of_full, "skipped": disk_full_skipped},
            "sessions": counted.sessions, "statuses": counted.statuses, "failures": counted.failures,
            "appends": counted.appends, "events": counted.events,
            "meetings": {"times": troubles.meetings, "owners_that_noticed": counted.noticed},
            "takeovers": counted.takeovers, "probes": counted.findings, "doubts": counted.doubts, "calls_made_again": counted.reissued,
            "acknowledged": {"answers": counted.answers, "events_seen": counted.seen},
            "refusals": counted.refusals,
            "effects": {
                "unsafe": counted.unsafe_effects, "probe": counted.probed_effects, "idempotent": counted.idempotent_effects,
                "idempotent_repeats": counted.idempotent_repeats, "notifications": counted.notifications,
            },
            "violations": violations, "breaches": self.breaches(), "clean": self.is_clean(),
            "seconds": took.as_secs_f64().round(), "kept": kept,
        })
    }

    /// Rows of two columns, for people.
    pub fn rows(&self) -> Vec<(String, String)> {
        let Self { troubles, counted, .. } = self;
        let full = match &self.disk_full_skipped {
            Some(why) => format!("skipped: {why}"),
            None => format!("{}, of which the daemon died {} times", troubles.full, troubles.died_of_full),
        };
        let statuses: Vec<String> = counted.statuses.iter().map(|(status, n)| format!("{n} {status}")).collect();
        let findings: Vec<String> = counted.findings.iter().map(|(finding, n)| format!("{n} {finding}")).collect();
        let mut rows = vec![
            ("seed", self.seed.to_string()),
            ("kill -9", format!("{}, of which {} within a call", troubles.kills, troubles.struck)),
            ("SIGSTOP", troubles.halts.to_string()),
            ("restarts in order", troubles.restarts.to_string()),
            ("disk full", full),
            ("sessions", format!("{}: {}", counted.sessions, statuses.join(", "))),
            ("appends", format!("{} of {} events", counted.appends, counted.events)),
            ("acknowledged", format!("{} answers, {} events seen", counted.answers, counted.seen)),
            ("takeovers", counted.takeovers.to_string()),
            ("calls made again", counted.reissued.to_string()),
            ("calls in doubt", counted.doubts.to_string()),
            ("tools asked", findings.join(", ")),
            ("unsafe effects", counted.unsafe_effects.to_string()),
            ("effects of a tool that can be asked", counted.probed_effects.to_string()),
            (
                "idempotent effects",
                format!("{}, asked for again {} times", counted.idempotent_effects, counted.idempotent_repeats),
            ),
            ("notifications", counted.notifications.to_string()),
            ("took", format!("{} s", self.took.as_secs())),
        ];
        for (rule, words) in RULES {
            rows.push((words, self.breaches.get(rule).map_or(0, Vec::len).to_string()));
        }
        rows.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
