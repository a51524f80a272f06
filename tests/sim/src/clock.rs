//! The clock that everybody in a simulation reads: virtual time, and a wall clock that jumps now and then.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use provost_domain::port::Clock;
use provost_domain::time::Timestamp;
use tokio::time::Instant;

/// 2026-11-20, 00:00 UTC.
const BEGIN_MICROS: i64 = 1_795_132_800_000_000;

/// The wall clock.
#[derive(Debug)]
pub(crate) struct SimClock {
    began: Instant,
    offset_micros: AtomicI64,
}

impl SimClock {
    /// At the beginning; needs a runtime whose time is paused.
    pub(crate) fn new() -> Self {
        Self { began: Instant::now(), offset_micros: AtomicI64::new(0) }
    }

    /// Sets the wall clock forward, or back.
    pub(crate) fn jump(&self, seconds: i64) {
        self.offset_micros.fetch_add(seconds.saturating_mul(1_000_000), Ordering::Relaxed);
    }

    /// Virtual time since the beginning, which no jump changes.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let begin = Timestamp::from_micros(BEGIN_MICROS).plus(self.elapsed());
        Timestamp::from_micros(begin.micros() + self.offset_micros.load(Ordering::Relaxed))
    }
}
