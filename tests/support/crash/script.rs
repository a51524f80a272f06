//! The model: it answers by what it sees, and fails once by itself, so that the session is tried again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::ModelFailure;
use provost_domain::model::{Message, ModelReply, ModelRequest};
use provost_domain::port::ModelProvider;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::world::{ANSWER_LOST, REQUEST_LOST};
use crate::model::reply;

/// How long it thinks.
const THINKS: Duration = Duration::from_millis(10);
/// The argument `n` of the calls during which the session is stopped.
pub const LAST: i64 = 9;

/// The model. What it has told outlives a process, as a provider does.
#[derive(Debug, Default)]
pub struct Script {
    failed: AtomicBool,
}

impl Script {
    /// Whether it has failed, after which the session is soon stopped.
    pub fn failed(&self) -> bool {
        self.failed.load(Ordering::SeqCst)
    }
}

fn n(n: i64) -> Value {
    json!({ "n": n })
}

#[async_trait]
impl ModelProvider for Script {
    async fn ask(&self, request: &ModelRequest, _body: &[u8]) -> Result<ModelReply, ModelFailure> {
        sleep(THINKS).await;
        let round = request.messages.iter().filter(|message| matches!(message, Message::Assistant { .. })).count();
        let finish = |signal| json!({"content": "seen", "confidence": 0.9, "rationale": "r", "signal": signal});
        let acted = |message: &Message| matches!(message, Message::Tool { tool, .. } if tool == "act__unsafe");
        if request.agent.as_str() == "first" {
            return Ok(reply("", &[("finish_turn", finish("close"))]));
        }
        if request.messages.iter().any(acted) {
            self.failed.store(true, Ordering::SeqCst);
            return Err(ModelFailure::Unavailable { detail: "by itself".to_owned() });
        }
        Ok(match (self.failed(), round) {
            (false, 0) => reply(
                "",
                &[("read__gauge", n(1)), ("act__idempotent", n(1)), ("act__probe", n(1)), ("act__safe", n(1))],
            ),
            (false, _) => {
                reply("", &[("act__unsafe", n(1)), ("act__probe", n(ANSWER_LOST)), ("act__probe", n(REQUEST_LOST))])
            }
            (true, 0) => reply(
                "",
                &[
                    ("read__gauge", n(LAST)),
                    ("act__idempotent", n(LAST)),
                    ("act__probe", n(LAST)),
                    ("act__safe", n(LAST)),
                ],
            ),
            (true, _) => reply("", &[("finish_turn", finish("default"))]),
        })
    }
}
