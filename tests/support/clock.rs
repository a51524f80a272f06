//! A clock that goes with tokio's time, also where that is virtual.

use std::sync::Mutex;
use std::time::Duration;

use provost_domain::port::Clock;
use provost_domain::time::Timestamp;
use tokio::time::Instant;

/// Where it begins, in microseconds: some day.
const DAWN: i64 = 1_700_000_000_000_000;
/// What passes from one process to the next.
const BETWEEN: Duration = Duration::from_secs(1);

/// The clock. It goes on from process to process, each of which has a tokio time of its own.
#[derive(Debug)]
pub struct TokioClock(Mutex<Now>);

#[derive(Debug)]
struct Now {
    /// The present process's first instant, in both times.
    began: (Timestamp, Option<Instant>),
    last: Timestamp,
}

impl Default for TokioClock {
    fn default() -> Self {
        let dawn = Timestamp::from_micros(DAWN);
        Self(Mutex::new(Now { began: (dawn, None), last: dawn }))
    }
}

impl TokioClock {
    /// A new process begins, on this runtime.
    pub fn begin(&self) {
        let mut now = self.0.lock().unwrap();
        now.began = (now.last.plus(BETWEEN), Some(Instant::now()));
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Timestamp {
        let mut now = self.0.lock().unwrap();
        let (at, since) = now.began;
        now.last = at.plus(since.map_or(Duration::ZERO, |since| since.elapsed()));
        now.last
    }
}
