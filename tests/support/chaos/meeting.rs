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
use provost_domain::status::Status;
use provost_store::SqliteStore;
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::time::sleep;

use super::Driver;
use super::plan::Meeting;
use super::site::Process;

/// How often the rows are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// Rows looked at: more than are ever at work.
const LOOK_AT: u32 = 64;

/// How often a daemon is halted anew that was in the middle of a write, and how long it goes on before.
const HALTS_MAX: u32 = 100;
const BREATH: Duration = Duration::from_millis(3);

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
        let filter = SessionFilter { status: Some(Status::InProgress), limit: LOOK_AT, ..SessionFilter::default() };
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
        // Takes over what the first has at work.
        let mut second = self.start().await;
        self.troubles.meetings += 1;
        first.for_a_while(meeting.halt_after).await;
        self.halt(&mut first).await;
        second.for_a_while(meeting.apart).await;
        first.signal("CONT");
        first.for_a_while(meeting.together).await;
        first.kill().await;
        self.troubles.kills += 1;
        second.for_a_while(meeting.after).await;
        self.kill(second).await;
    }

    /// Halts a daemon, but not in the middle of a write: then nobody else could write, and nobody would meet.
    async fn halt(&mut self, process: &mut Process) {
        let store = SqliteConnectOptions::new().filename(self.site.store()).busy_timeout(Duration::ZERO);
        let mut store = store.connect().await.unwrap();
        for _ in 0..HALTS_MAX {
            process.signal("STOP");
            self.troubles.halts += 1;
            if sqlx::raw_sql("BEGIN IMMEDIATE; ROLLBACK").execute(&mut store).await.is_ok() {
                return;
            }
            process.signal("CONT");
            process.for_a_while(BREATH).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_counts_for_what_comes_after_the_head_it_was_first_seen_with() {
        let (held, session) = (Held::default(), SessionId::new(uuid::Uuid::nil()));
        held.lock().insert(session, BTreeMap::from([(Fence(1), Seq(4)), (Fence(3), Seq(9))]));
        let before = |seq| held.before(session, Seq(seq));
        assert_eq!([4, 5, 9, 10].map(before), [None, Some(Fence(1)), Some(Fence(1)), Some(Fence(3))]);
        assert_eq!(held.before(SessionId::new(uuid::Uuid::max()), Seq(5)), None);
    }
}
