//! The controls: the campaign on a program that does without one of its mechanisms must find a rule broken. Otherwise the
//! campaign proves nothing about that mechanism.

use std::path::Path;
use std::time::Duration;

use provost_domain::ids::{Digest, Fence, Handle, Owner, Seq, SessionId};
use provost_domain::port::{Append, NewSession, SessionStore as _};
use provost_domain::time::Timestamp;
use provost_store::{Limits, Removed, SqliteStore};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Settings, run};

/// Kills of one try.
const KILLS: u32 = 12;
/// Tries of a control, each with a seed of its own.
const TRIES: u64 = 4;
/// How long a session may hang before it counts as stuck.
const QUIET: Duration = Duration::from_secs(25);

/// The mechanisms, as the program is told to do without them.
pub const CONTROLS: [(&str, Shown); 4] = [
    ("intent", Shown::ByCampaign),
    ("consumption", Shown::ByCampaign),
    ("wake_seq", Shown::ByCampaign),
    ("fence", Shown::ByStore),
];

/// Where a control is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// On the program, by the campaign.
    ByCampaign,
    /// On the store alone. One process has one owner at a time, and the lock file refuses a second process: a program
    /// cannot come to have an older owner that still writes.
    ByStore,
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
}

impl Control {
    /// Whether something was found broken, as must be.
    pub fn is_red(&self) -> bool {
        !self.found.is_empty()
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        let shown = match self.shown {
            Shown::ByCampaign => "campaign",
            Shown::ByStore => "store alone: one process has no older owner, and the lock file refuses a second process",
        };
        json!({"without": self.without, "red": self.is_red(), "shown_by": shown, "kills": self.kills,
            "found": self.found})
    }
}

/// Runs one control on a program built with the feature `controls`.
pub async fn control(program: &Path, (without, shown): (&'static str, Shown), seed: u64) -> Control {
    let (mut found, mut kills) = (Vec::new(), 0);
    match shown {
        Shown::ByStore => {
            assert!(!older_owner_writes(Limits::default()).await, "an older owner writes although its fence is old");
            if older_owner_writes(Limits { removed: Some(Removed::Fence), ..Limits::default() }).await {
                found.push("an append of an owner whose session was taken over was acknowledged".to_owned());
            }
        }
        Shown::ByCampaign => {
            for attempt in 0..TRIES {
                let settings = Settings {
                    program: program.to_owned(),
                    kills: KILLS,
                    seed: seed.wrapping_add(attempt),
                    fill_disk: false,
                    quiet: QUIET,
                    environment: vec![("PROVOST_WITHOUT".to_owned(), without.to_owned())],
                };
                let report = run(settings, |_| {}).await;
                kills += KILLS;
                found = report.broken();
                report.forget();
                if !found.is_empty() {
                    break;
                }
            }
        }
    }
    Control { without, shown, found, kills }
}

/// Whether an owner whose session was taken over can still write to it.
async fn older_owner_writes(limits: Limits) -> bool {
    let folder = TempDir::new().unwrap();
    let store = SqliteStore::open_within(&folder.path().join("control.db"), limits).await.unwrap();
    let (id, at) = (SessionId::new(uuid::Uuid::now_v7()), Timestamp::default());
    let (older, newer) = (Owner::new("older"), Owner::new("newer"));
    let new = NewSession {
        id,
        handle: Handle::new("CHA-20261121-0001"),
        pack: "chaos".to_owned(),
        pack_digest: Digest::default(),
        title: "control".to_owned(),
        at,
        first: None,
    };
    store.create(new).await.unwrap();
    let held: Fence = store.take_over(id, &older).await.unwrap().row.fence;
    store.take_over(id, &newer).await.unwrap();
    let append = Append {
        session: id,
        fence: held,
        owner: older,
        expected_seq: Seq(0),
        record: None,
        status: "stopped".to_owned(),
        ended: true,
        release: false,
        snapshot: None,
        contents: Vec::new(),
        approvals: Vec::new(),
        acks: Vec::new(),
        progress: false,
        at,
    };
    let written = store.append(append).await.is_ok();
    store.close().await;
    written
}
