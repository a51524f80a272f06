//! The lock registry: who carries which session in this process. It never waits.

use std::collections::HashMap;

use provost_domain::ids::SessionId;
use provost_domain::time::Timestamp;

use crate::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shards: enough that two cores seldom meet, few enough that an idle registry is small.
const SHARDS: usize = 16;

/// The session is carried by somebody else right now. Ask again later; nothing waits in line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("session {session} is busy: held by {holder} since {since}; try again in a second")]
pub struct SessionBusy {
    /// Which session is carried.
    pub session: SessionId,
    /// Who carries it, as people read it.
    pub holder: String,
    /// Since when it is carried.
    pub since: Timestamp,
}

#[derive(Debug, Clone)]
struct Holder {
    name: Arc<str>,
    since: Timestamp,
}

type Shard = Mutex<HashMap<SessionId, Holder>>;

/// A sharded map of held sessions. Free sessions take no memory.
#[derive(Debug, Clone, Default)]
pub struct LockRegistry {
    shards: Arc<[Shard; SHARDS]>,
}

/// The right to carry a session; gives it back when dropped.
#[derive(Debug)]
#[must_use = "dropping the guard gives the session back at once"]
pub struct SessionGuard {
    session: SessionId,
    registry: LockRegistry,
}

impl LockRegistry {
    /// Takes the session or says who has it: one atomic insert, no waiting.
    pub fn try_acquire(&self, session: SessionId, holder: &str, now: Timestamp) -> Result<SessionGuard, SessionBusy> {
        let mut shard = self.shard(session);
        if let Some(held) = shard.get(&session) {
            return Err(SessionBusy { session, holder: held.name.to_string(), since: held.since });
        }
        shard.insert(session, Holder { name: holder.into(), since: now });
        drop(shard);
        Ok(SessionGuard { session, registry: self.clone() })
    }

    /// How many sessions are held.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, session: SessionId) -> MutexGuard<'_, HashMap<SessionId, Holder>> {
        // The last byte of a UUIDv7 is random.
        let index = usize::from(session.uuid().as_bytes().last().copied().unwrap_or(0)) % SHARDS;
        let [first, ..] = &*self.shards;
        self.shards.get(index).unwrap_or(first).lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SessionGuard {
    fn drop(&mut self) {
        let mut shard = self.registry.shard(self.session);
        shard.remove(&self.session);
        if shard.len() * 4 < shard.capacity() {
            shard.shrink_to_fit();
        }
    }
}

impl SessionGuard {
    /// Which session it is the right to carry.
    pub fn session(&self) -> SessionId {
        self.session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(n: u128) -> SessionId {
        SessionId::new(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn the_second_is_told_who_and_since_when_and_the_drop_frees() {
        let registry = LockRegistry::default();
        let guard = registry.try_acquire(session(1), "a", Timestamp::from_micros(5)).unwrap();
        let busy = registry.try_acquire(session(1), "b", Timestamp::from_micros(6)).unwrap_err();
        assert_eq!((busy.holder.as_str(), busy.since), ("a", Timestamp::from_micros(5)));
        drop(guard);
        drop(registry.try_acquire(session(1), "b", Timestamp::from_micros(7)).unwrap());
        assert!(registry.is_empty());
    }

    #[test]
    fn a_million_sessions_leave_nothing_behind() {
        let registry = LockRegistry::default();
        for n in 0..1_000_000 {
            drop(registry.try_acquire(session(n), "a", Timestamp::default()).unwrap());
        }
        let capacity: usize = registry.shards.iter().map(|shard| shard.lock().unwrap().capacity()).sum();
        assert_eq!((registry.len(), capacity), (0, 0));
    }

    #[test]
    fn of_many_at_once_exactly_one_wins() {
        let registry = LockRegistry::default();
        let barrier = std::sync::Barrier::new(8);
        let held = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        registry.try_acquire(session(1), "t", Timestamp::default()).ok()
                    })
                })
                .collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert_eq!(held.len(), 1);
    }
}
