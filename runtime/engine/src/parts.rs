//! What every actor of one engine has in common: ports, settings, resources, locks, tasks, figures, and who waits for what.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use provost_domain::ids::{CmdId, Digest, Owner, Seq, SessionId};
use provost_domain::port::StoreError;
use provost_domain::time::Timestamp;
use tokio::sync::{broadcast, oneshot, watch};

use crate::answer::StoredAnswer;
use crate::hint::Hint;
use crate::meters::Meters;
use crate::ports::Ports;
use crate::registry::LockRegistry;
use crate::resources::{PresentResources, Resources};
use crate::settings::EngineSettings;
use crate::tasks::Tasks;

/// Hints kept for a slow listener; one that falls behind further reads the store instead.
const HINTS_MAX: usize = 1024;

/// Whom to tell what became of a command.
type Waiter = oneshot::Sender<StoredAnswer>;

/// What every actor of one engine has in common.
#[derive(Debug)]
pub(crate) struct EngineParts {
    pub(crate) ports: Ports,
    pub(crate) settings: EngineSettings,
    pub(crate) resources: PresentResources,
    pub(crate) registry: LockRegistry,
    pub(crate) owner: Owner,
    pub(crate) tasks: Tasks,
    pub(crate) meters: Meters,
    /// Identifies the roles in the logs of sessions.
    pub(crate) roles_digest: Digest,
    /// Completed looks for work.
    beats: watch::Sender<u64>,
    hints: broadcast::Sender<Hint>,
    waiters: Mutex<HashMap<(SessionId, CmdId), Waiter>>,
    damaged: Mutex<HashMap<SessionId, StoreError>>,
}

impl EngineParts {
    /// For a new incarnation of the process.
    pub(crate) fn new(ports: Ports, settings: EngineSettings, resources: Resources) -> prometheus::Result<Self> {
        let owner = uuid::Uuid::from_bytes(ports.random.bytes());
        let registry = LockRegistry::default();
        let resources = PresentResources::new(resources);
        Ok(Self {
            meters: Meters::new(&ports.metrics, (registry.clone(), resources.clone()))?,
            roles_digest: ports.roles.digest(),
            ports,
            settings,
            resources,
            registry,
            owner: Owner::new(owner.simple().to_string()),
            tasks: Tasks::default(),
            beats: watch::channel(0).0,
            hints: broadcast::channel(HINTS_MAX).0,
            waiters: Mutex::default(),
            damaged: Mutex::default(),
        })
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

    /// A look for work was completed: the store answered and the node took its turn.
    pub(crate) fn beat(&self) {
        self.beats.send_modify(|beats| *beats += 1);
    }

    pub(crate) fn salt(&self) -> [u8; 16] {
        self.ports.random.bytes()
    }

    pub(crate) fn hint(&self, hint: Hint) {
        // Nobody listening is fine.
        drop(self.hints.send(hint));
    }

    /// Tells whoever waits for it what became of a command.
    pub(crate) fn answered(&self, session: SessionId, cmd_id: &CmdId, answer: StoredAnswer) {
        let waiter = self.waiters().remove(&(session, cmd_id.clone()));
        if let Some(waiter) = waiter {
            drop(waiter.send(answer));
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
        self.hint(Hint { session, head_seq: Seq(0), status: None, ended: false });
    }

    fn damaged_sessions(&self) -> MutexGuard<'_, HashMap<SessionId, StoreError>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn waiters(&self) -> MutexGuard<'_, HashMap<(SessionId, CmdId), Waiter>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
