//! `Idempotency-Key`: the same request under the same key is done once and answered alike. The key belongs to the
//! caller's token and the path; it is durable before anything happens, and what the request makes (a session's id, a command's id) is
//! derived from it, so that a request repeated after a crash makes the same thing.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use provost_domain::ids::{CmdId, Digest, SessionId};
use provost_domain::time::Timestamp;

/// How long a key is known.
pub const REQUESTS_KEPT: Duration = Duration::from_hours(24);

/// What a request makes is named after this.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject {
    key: Digest,
    at: Timestamp,
}

impl Subject {
    /// The subject of the request that claimed a key, and when it did.
    pub(crate) fn new(key: Digest, at: Timestamp) -> Self {
        Self { key, at }
    }

    /// The id of the command the request sends.
    pub(crate) fn command(self) -> CmdId {
        CmdId::new(self.key.hex())
    }

    /// The id of the session the request opens: a `UUIDv7` whose random part is the key's.
    pub(crate) fn session(self) -> SessionId {
        let millis = u64::try_from(self.at.micros() / 1000).unwrap_or(0);
        let mut random = [0; 10];
        for (to, from) in random.iter_mut().zip(self.key.as_bytes()) {
            *to = *from;
        }
        SessionId::new(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

/// The keys whose first request still runs in this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Running(Arc<Mutex<HashSet<Digest>>>);

/// Takes the key out again when its request ends, however it ends.
pub(crate) struct Run(Running, Digest);

impl Running {
    /// Notes that the first request of a key runs; `None` while it does.
    pub(crate) fn begin(&self, key: Digest) -> Option<Run> {
        self.keys().insert(key).then(|| Run(self.clone(), key))
    }

    fn keys(&self) -> MutexGuard<'_, HashSet<Digest>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.0.keys().remove(&self.1);
    }
}
