//! One fact in a session's log.

use super::kinds::EventBody;
use crate::ids::{Fence, Seq};
use crate::time::Timestamp;

/// One fact in a session's log.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its position.
    pub seq: Seq,
    /// When it happened, by its owner's clock.
    pub at: Timestamp,
    /// The fence it was written under.
    pub fence: Fence,
    /// What happened.
    pub body: EventBody,
}

impl Event {
    /// The event as faces show it: `seq`, `at`, `kind`, `data`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "seq": self.seq, "at": self.at.to_string(), "kind": self.body.kind(), "data": self.body.data(),
        })
    }
}
