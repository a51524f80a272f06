//! Events.

use provost_domain::event::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// An event of a session's log.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EventView {
    /// Its position.
    pub seq: u64,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// What happened.
    #[schema(example = "tool_returned")]
    pub kind: String,
    /// The kind's payload.
    #[schema(value_type = Object)]
    pub data: Value,
}

impl From<&Event> for EventView {
    fn from(event: &Event) -> Self {
        Self { seq: event.seq.0, at: event.at.to_string(), kind: event.body.kind().to_owned(), data: event.body.data() }
    }
}
