//! What carries messages to a server.

use std::fmt;

use async_trait::async_trait;
use serde_json::Value;

use super::message::{Era, McpRequest, WireReply};

/// A connection to one server. A request is sent once; nothing is ever sent again by itself.
#[async_trait]
pub(super) trait McpWire: fmt::Debug + Send + Sync {
    /// Sends a request and waits for its reply. Dropping the future gives the reply up.
    async fn exchange(&self, request: &McpRequest, era: &Era) -> WireReply;

    /// Sends a message that gets no reply. Where it cannot be sent, the next request finds that out.
    async fn tell(&self, message: Value, era: &Era);

    /// Whether requests can still be sent.
    fn is_open(&self) -> bool;

    /// Whether the server said, since this was last asked, that its tools changed.
    fn tools_changed(&self) -> bool;
}
