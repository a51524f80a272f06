//! The header as bytes, so that loading a session does not read its whole log.

use serde::{Deserialize, Serialize};

use super::header::Session;
use super::illegal::IllegalEvent;
use crate::event::EncodeError;

/// The version of a snapshot's form: one more with every change of [`Session`] or of what is in it.
const SNAPSHOT: u16 = 12;

#[derive(Serialize)]
struct Kept<'a> {
    v: u16,
    session: &'a Session,
}

#[derive(Deserialize)]
struct Version {
    v: u16,
}

#[derive(Deserialize)]
struct Held {
    session: Session,
}

impl Session {
    /// The header's bytes for a snapshot.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn to_snapshot(&self) -> Result<Vec<u8>, EncodeError> {
        let kept = Kept { v: SNAPSHOT, session: self };
        serde_json::to_vec(&kept).map_err(|error| EncodeError::new("a session's header", &error))
    }

    /// A header from a snapshot's bytes.
    ///
    /// # Errors
    /// They have another version's form, or none. Then the log tells the same.
    pub fn from_snapshot(bytes: &[u8]) -> Result<Self, IllegalEvent> {
        let unreadable = |error: serde_json::Error| IllegalEvent::Snapshot { detail: error.to_string() };
        let written: Version = serde_json::from_slice(bytes).map_err(unreadable)?;
        if written.v != SNAPSHOT {
            let detail = format!("it has version {}, this program reads {SNAPSHOT}", written.v);
            return Err(IllegalEvent::Snapshot { detail });
        }
        serde_json::from_slice(bytes).map(|Held { session }| session).map_err(unreadable)
    }
}
