//! A stream of server-sent events.

use std::time::Duration;

use serde_json::Value;
use tokio::time::timeout;

/// A stream that says nothing for longer than this, heartbeats included, is opened anew.
const SILENCE_MAX: Duration = Duration::from_secs(25);

/// What came and was not read yet, and what still comes.
#[derive(Debug)]
pub(super) struct Stream {
    response: reqwest::Response,
    bytes: Vec<u8>,
}

impl Stream {
    pub(super) fn of(response: reqwest::Response) -> Self {
        Self { response, bytes: Vec::new() }
    }

    /// The next event; `None` once the stream has broken off.
    pub(super) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.bytes.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.bytes.drain(..end + 2).collect();
                let block = String::from_utf8(block).unwrap();
                let data = block.lines().find_map(|line| line.strip_prefix("data: "));
                match data {
                    Some(data) => return Some(serde_json::from_str(data).unwrap()),
                    // A heartbeat.
                    None => continue,
                }
            }
            let chunk = timeout(SILENCE_MAX, self.response.chunk()).await.ok()?.ok()??;
            self.bytes.extend_from_slice(&chunk);
        }
    }
}
