//! Kills at instants that only the witness knows: it has received a call, has answered half of it, has answered it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;
use fastrand::Rng;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};

/// How long what was written takes to leave, and, after a whole answer, how far the daemon may get with it.
const LEAVES_WITHIN: Duration = Duration::from_millis(1);
const RECORDED_WITHIN: Duration = Duration::from_millis(4);

/// An instant of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CallInstant {
    /// The effect is counted, nothing is answered.
    Received,
    /// Half of the answer has left.
    HalfAnswered,
    /// The whole answer has left; the daemon may be recording it.
    Answered,
}

impl CallInstant {
    /// Every instant that the witness knows.
    pub(super) const ALL: [Self; 3] = [Self::Received, Self::HalfAnswered, Self::Answered];
}

/// A daemon to be killed at the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Strike {
    /// At which instant of the call.
    pub(super) at: CallInstant,
    /// The daemon's process group.
    pub(super) group: i32,
}

impl Strike {
    fn kill(self) {
        if let Some(group) = Pid::from_raw(self.group) {
            let killed = kill_process_group(group, Signal::KILL);
            // It may have ended by itself.
            assert!(matches!(killed, Ok(()) | Err(Errno::SRCH)), "{killed:?}");
        }
    }
}

/// What is planned; the next call takes it.
#[derive(Debug, Default)]
pub(super) struct Planned(Mutex<Option<Strike>>);

impl Planned {
    /// Plans a strike, or none.
    pub(super) fn set(&self, strike: Option<Strike>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = strike;
    }

    /// Strikes at the call that is about to be answered, if that is planned.
    pub(super) fn answer(&self, body: Bytes) -> Response {
        let strike = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let length = body.len();
        let body = match strike {
            None => Body::from(body),
            Some(strike) if strike.at == CallInstant::Received => {
                strike.kill();
                Body::from(body)
            }
            Some(strike) => Body::from_stream(struck(strike, body)),
        };
        Response::builder().header(CONTENT_TYPE, "application/json").header(CONTENT_LENGTH, length).body(body).unwrap()
    }
}

/// The answer in two parts, with the kill after the first one. Of a whole answer the second part is empty.
fn struck(strike: Strike, body: Bytes) -> impl futures::Stream<Item = Result<Bytes, std::io::Error>> {
    let (first, pause) = match strike.at {
        CallInstant::HalfAnswered => (body.len() / 2, LEAVES_WITHIN),
        CallInstant::Received | CallInstant::Answered => (body.len(), some_of(RECORDED_WITHIN)),
    };
    futures::stream::unfold((0, body), move |(part, body)| async move {
        match part {
            0 => Some((Ok(body.slice(..first)), (1, body))),
            1 => {
                tokio::time::sleep(pause).await;
                strike.kill();
                Some((Ok(body.slice(first..)), (2, body)))
            }
            _ => None,
        }
    })
}

fn some_of(span: Duration) -> Duration {
    span.mul_f64(Rng::new().f64())
}
