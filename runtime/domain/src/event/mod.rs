//! The closed, versioned vocabulary of durable facts.
//!
//! No event type has a public `Deserialize`: bytes become events only through [`crate::log::AppendRecord::open`], as part
//! of a verified chain, so nobody forges a transition. Every payload carries the version of its form; what an older version
//! wrote is lifted to the present form on the way in, and the stored bytes stay as they are.

mod body;
mod payload;
mod upcast;

use crate::ids::{Fence, Seq};
use crate::time::Timestamp;

pub use body::{DecodeError, EventBody};
pub use payload::*;
#[cfg(test)]
pub(crate) use upcast::Upcast;
pub(crate) use upcast::Upcasts;

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
