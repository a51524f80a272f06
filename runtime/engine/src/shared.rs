//! What every actor of the process shares.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use provost_domain::ids::{CmdId, Owner, Seq, SessionId};
use provost_domain::port::{Clock, CommandLog, Random, Reads, SessionStore, StoreError};
use provost_domain::request::Roles;
use provost_domain::time::Timestamp;
use tokio::sync::{broadcast, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::EngineSettings;
use crate::gear::{Gear, Rack};
use crate::meters::Meters;
use crate::registry::LockRegistry;
use crate::supervisor::Settled;

/// Hints kept for a slow listener; one that falls behind further reads the store instead.
const HINTS_MAX: usize = 1024;

/// A session's log grew. Only a wake-up: the log's sequence is the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The session.
    pub session: SessionId,
    /// Its head.
    pub head_seq: Seq,
    /// Its status.
    pub status: String,
    /// Whether that is an end.
    pub ended: bool,
}

/// Whom to tell what became of a command.
type Waiter = oneshot::Sender<Settled>;

/// The ports that stay for the engine's life; models and tools are gear.
#[derive(Debug)]
pub(crate) struct Seams {
    pub(crate) store: Arc<dyn SessionStore>,
    pub(crate) commands: Arc<dyn CommandLog>,
    pub(crate) reads: Arc<dyn Reads>,
    pub(crate) roles: Arc<dyn Roles>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
}

/// What every actor of the process shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) ports: Seams,
    pub(crate) settings: EngineSettings,
    pub(crate) rack: Rack,
    pub(crate) registry: LockRegistry,
    pub(crate) owner: Owner,
    pub(crate) tasks: TaskTracker,
    pub(crate) stopped: CancellationToken,
    pub(crate) meters: Meters,
    /// Completed looks for work.
    beats: watch::Sender<u64>,
    hints: broadcast::Sender<Hint>,
    waiters: Mutex<HashMap<(SessionId, CmdId), Waiter>>,
    damaged: Mutex<HashMap<SessionId, StoreError>>,
}

impl Shared {
    /// For a new incarnation of the process.
    pub(crate) fn new(ports: Seams, settings: EngineSettings, gear: Gear, meters: Meters) -> Self {
        let owner = uuid::Uuid::from_bytes(ports.random.bytes());
        Self {
            ports,
            settings,
            rack: Rack::new(gear),
            registry: LockRegistry::default(),
            owner: Owner::new(owner.simple().to_string()),
            tasks: TaskTracker::new(),
            stopped: CancellationToken::new(),
            meters,
            beats: watch::channel(0).0,
            hints: broadcast::channel(HINTS_MAX).0,
            waiters: Mutex::default(),
            damaged: Mutex::default(),
        }
    }

    pub(crate) fn hints(&self) -> broadcast::Receiver<Hint> {
        self.hints.subscribe()
    }

    pub(crate) fn beats(&self) -> watch::Receiver<u64> {
        self.beats.subscribe()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    /// A look for work was completed: the node took its turn and the store answered.
    pub(crate) fn beat(&self) {
        self.beats.send_modify(|beats| *beats += 1);
    }

    pub(crate) fn salt(&self) -> [u8; 16] {
        self.ports.random.bytes()
    }

    /// A pause that varies by this share either way.
    pub(crate) fn jittered(&self, pause: Duration, share: f64) -> Duration {
        let [first, second, ..] = self.salt();
        jittered(pause, share, f64::from(u16::from_be_bytes([first, second])) / f64::from(u16::MAX))
    }

    pub(crate) fn hint(&self, hint: Hint) {
        // Nobody listening is fine.
        drop(self.hints.send(hint));
    }

    pub(crate) fn settled(&self, session: SessionId, cmd_id: &CmdId, settled: Settled) {
        let waiter = self.waiters().remove(&(session, cmd_id.clone()));
        if let Some(waiter) = waiter {
            drop(waiter.send(settled));
        }
    }

    /// Why a session cannot be carried on, as found since the start.
    pub(crate) fn damage(&self, session: SessionId) -> Option<StoreError> {
        self.damaged_sessions().get(&session).cloned()
    }

    /// How many sessions cannot be carried on.
    pub(crate) fn damages(&self) -> u32 {
        u32::try_from(self.damaged_sessions().len()).unwrap_or(u32::MAX)
    }

    /// Remembers that a session cannot be carried on, and wakes those who follow it.
    pub(crate) fn damaged(&self, session: SessionId, error: &StoreError) {
        self.damaged_sessions().insert(session, error.clone());
        self.hint(Hint { session, head_seq: Seq(0), status: String::new(), ended: false });
    }

    fn damaged_sessions(&self) -> MutexGuard<'_, HashMap<SessionId, StoreError>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn waiters(&self) -> MutexGuard<'_, HashMap<(SessionId, CmdId), Waiter>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// See [`Shared::jittered`]; `random` is from 0 to 1.
fn jittered(pause: Duration, share: f64, random: f64) -> Duration {
    let share = share.clamp(0.0, 1.0);
    let factor = 1.0 - share + 2.0 * share * random.clamp(0.0, 1.0);
    Duration::try_from_secs_f64(pause.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_varies_by_its_share_either_way() {
        let second = Duration::from_secs(1);
        let pauses = [0.0, 0.5, 1.0].map(|random| jittered(second, 0.25, random));
        assert_eq!(pauses, [second.mul_f64(0.75), second, second.mul_f64(1.25)]);
        assert_eq!(jittered(second, 0.0, 1.0), second);
        assert_eq!(jittered(second, 9.0, 0.0), Duration::ZERO);
        assert_eq!(jittered(Duration::MAX, 0.5, 1.0), Duration::MAX);
    }
}
