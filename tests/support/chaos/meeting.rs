//! Two daemons on one store: what the lock file keeps from happening, and what the fence is for when it happens all the
//! same (a lock that a file system forgets, a copy of the machine). The second takes the first's sessions over, while the
//! first stands still and while it works. From then on the first may not write to them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use provost_domain::ids::{Fence, Seq, SessionId};
use provost_domain::port::{Reads as _, SessionFilter};
use provost_store::SqliteStore;
use tokio::time::{sleep, timeout};

use super::plan::Meeting;
use super::site::Process;
use super::{Driver, FAILED_STARTS_MAX, START_MAX};

/// How often the rows are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// Rows looked at: more than are ever at work.
const LOOK_AT: u32 = 64;

/// The heads at which sessions were first seen under their fences.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<BTreeMap<SessionId, BTreeMap<Fence, Seq>>>);

impl Held {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<SessionId, BTreeMap<Fence, Seq>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the rows, for ever. Each row is read as one moment has it.
    pub(super) async fn watch(&self, store: &Path) -> Infallible {
        let reads = SqliteStore::open_read_only(store).await.unwrap();
        let filter =
            SessionFilter { status: Some("in_progress".to_owned()), limit: LOOK_AT, ..SessionFilter::default() };
        loop {
            // Where it cannot be read now, later.
            for row in reads.sessions(&filter).await.unwrap_or_default() {
                self.lock().entry(row.id).or_default().entry(row.fence).or_insert(row.head_seq);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// The newest fence under which a session was seen before it had this event.
    pub(super) fn before(&self, session: SessionId, event: Seq) -> Option<Fence> {
        let held = self.lock();
        let fences = held.get(&session)?.iter();
        fences.filter(|(_, head)| **head < event).map(|(fence, _)| *fence).max()
    }
}

impl Driver {
    /// One meeting; both die at its end.
    pub(super) async fn meet(&mut self, meeting: &Meeting) {
        let mut first = self.start().await;
        first.for_a_while(meeting.alone).await;
        let mut second = self.second(&mut first, meeting.halt_after).await;
        self.troubles.meetings += 1;
        self.troubles.halts += 1;
        second.for_a_while(meeting.apart).await;
        first.signal("CONT");
        first.for_a_while(meeting.together).await;
        first.kill().await;
        self.troubles.kills += 1;
        second.for_a_while(meeting.after).await;
        self.kill(second).await;
    }

    /// Starts a second daemon beside the first, which is halted meanwhile. Where it stands still in the middle of a write,
    /// nobody else can write: then it may go on for a moment.
    async fn second(&mut self, first: &mut Process, halt_after: Duration) -> Process {
        for _ in 0..FAILED_STARTS_MAX {
            let mut second = self.site.spawn();
            first.for_a_while(halt_after).await;
            first.signal("STOP");
            self.troubles.starts += 1;
            if let Ok(Ok(url)) = timeout(START_MAX, second.listening()).await {
                self.up.send_replace(Some(url));
                return second;
            }
            first.signal("CONT");
            second.kill().await;
        }
        panic!("no second daemon starts beside the first\n{}", self.site.log());
    }
}
