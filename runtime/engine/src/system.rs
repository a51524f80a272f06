//! The machine's clock and randomness.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use provost_domain::port::{Clock, Random};
use provost_domain::time::Timestamp;

/// A clock further behind than that was set back; less is the drift of two clocks.
const SET_BACK: Duration = Duration::from_secs(1);

/// Makes of a wall clock one that is never set back: it goes on with the time that this process has run. Where the wall clock is
/// set forward again, it catches up. Until then its times are ahead of the wall clock's.
#[derive(Debug, Default)]
pub struct SteadyTime(Mutex<Option<ClockReading>>);

/// What was seen last.
#[derive(Debug, Clone, Copy)]
struct ClockReading {
    wall: Timestamp,
    uptime: Duration,
    /// How much the wall clock was set back so far.
    back: Duration,
    said: Timestamp,
}

impl SteadyTime {
    /// Nothing seen so far.
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The present, of what the wall clock shows and how long this process has run.
    pub fn now(&self, wall: Timestamp, uptime: Duration) -> Timestamp {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (back, said) = seen.map_or((Duration::ZERO, wall), |seen| {
            let expected = seen.wall.plus(uptime.saturating_sub(seen.uptime));
            let (behind, ahead) = (expected.since(wall), wall.since(expected));
            let back = if behind > SET_BACK { seen.back + behind } else { seen.back };
            (if ahead > SET_BACK { back.saturating_sub(ahead) } else { back }, seen.said)
        });
        let said = said.max(wall.plus(back));
        *seen = Some(ClockReading { wall, uptime, back, said });
        said
    }
}

/// The time of this process: everybody in it reads the same.
static STEADY: SteadyTime = SteadyTime::new();
#[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The machine's clock, which is never set back while this process lives.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    fn now(&self) -> Timestamp {
        let uptime = BEGAN.elapsed();
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let wall = Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        STEADY.now(wall, uptime)
    }
}

/// The machine's randomness, from the random part of a fresh UUID.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn bytes(&self) -> [u8; 16] {
        *uuid::Uuid::new_v4().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said at each pair of uptime and wall clock, in seconds.
    #[track_caller]
    fn check(seen: &[(u64, i64)], expect: &[i64]) {
        let clock = SteadyTime::new();
        let said = |(uptime, wall): &(u64, i64)| {
            clock.now(Timestamp::from_micros(wall * 1_000_000), Duration::from_secs(*uptime)).micros() / 1_000_000
        };
        assert_eq!(seen.iter().map(said).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn a_wall_clock_that_is_set_back_does_not_set_the_process_back() {
        check(&[(0, 9000), (6, 9006), (7, 5407), (13, 5413)], &[9000, 9006, 9007, 9013]);
        // Twice.
        check(&[(0, 9000), (1, 5401), (2, 1802), (3, 1803)], &[9000, 9001, 9002, 9003]);
    }

    #[test]
    fn a_wall_clock_that_is_set_forward_is_followed_and_one_that_is_corrected_too() {
        check(&[(0, 5000), (1, 8601), (2, 8602)], &[5000, 8601, 8602]);
        check(&[(0, 9000), (1, 5401), (2, 9002), (3, 9003)], &[9000, 9001, 9002, 9003]);
    }

    #[test]
    fn it_never_goes_back_at_all() {
        let clock = SteadyTime::new();
        let at = Timestamp::from_micros;
        assert_eq!(clock.now(at(5_000_000), Duration::ZERO), at(5_000_000));
        // Two clocks that run at slightly different rates.
        assert_eq!(clock.now(at(4_900_000), Duration::from_millis(100)), at(5_000_000));
        assert_eq!(clock.now(at(5_100_000), Duration::from_millis(300)), at(5_100_000));
    }
}
