//! How long to wait before something that failed is tried again: pure policy. Whoever uses it does the waiting.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};

/// Failures after which the pause is taken to be the longest one: bounds the arithmetic, not the tries.
const COUNTED_MAX: u32 = 1000;

/// Pauses that grow from one failure to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// The pause after the first failure.
    pub first: Duration,
    /// Each further pause is so many times the one before; at least 1.
    pub factor: f32,
    /// The longest pause.
    pub max: Duration,
    /// The share of a pause by which it varies either way, from 0 to 1: what failed together is not tried together.
    pub jitter: f64,
}

impl Backoff {
    /// Pauses that double, without jitter.
    pub const fn doubling(first: Duration, max: Duration) -> Self {
        Self { first, factor: 2.0, max, jitter: 0.0 }
    }

    /// The same, varied by this share either way.
    #[must_use]
    pub const fn with_jitter(self, jitter: f64) -> Self {
        Self { jitter, ..self }
    }

    /// The pause after so many failures in a row, the latest included, without jitter. Zero where nothing failed.
    pub fn after(&self, failures: u32) -> Duration {
        let Some(before) = failures.checked_sub(1) else { return Duration::ZERO };
        let growing = ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_factor(self.factor.max(1.0))
            .with_max_delay(self.max)
            .without_max_times();
        let before = usize::try_from(before.min(COUNTED_MAX)).unwrap_or(usize::MAX);
        growing.build().nth(before).unwrap_or(self.max).min(self.max)
    }

    /// The pause after so many failures in a row, varied by these random bytes.
    pub fn jittered(&self, failures: u32, random: [u8; 16]) -> Duration {
        jittered(self.after(failures), self.jitter, random)
    }
}

/// A pause varied by a share of it either way, as these random bytes say.
pub(crate) fn jittered(pause: Duration, share: f64, random: [u8; 16]) -> Duration {
    let [first, second, ..] = random;
    let random = f64::from(u16::from_be_bytes([first, second])) / f64::from(u16::MAX);
    let share = share.clamp(0.0, 1.0);
    let factor = 1.0 - share + 2.0 * share * random;
    Duration::try_from_secs_f64(pause.as_secs_f64() * factor).unwrap_or(Duration::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let backoff = Backoff::doubling(SECOND, Duration::from_mins(5));
        let seconds: Vec<u64> = (0..11).map(|failures| backoff.after(failures).as_secs()).collect();
        assert_eq!(seconds, [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert_eq!(backoff.after(u32::MAX), Duration::from_mins(5));
        assert_eq!(Backoff { factor: 0.5, ..backoff }.after(9), SECOND, "they never shrink");
        assert_eq!(Backoff::doubling(SECOND, Duration::ZERO).after(1), Duration::ZERO, "not even the first is longer");
        assert_eq!(Backoff::doubling(Duration::MAX, Duration::MAX).after(3), Duration::MAX);
    }

    #[test]
    fn a_pause_varies_by_its_share_either_way() {
        let [least, middle, most] = [[0, 0], [127, 255], [255, 255]].map(random);
        assert_eq!(jittered(SECOND, 0.25, least), SECOND.mul_f64(0.75));
        assert!(jittered(SECOND, 0.25, middle).abs_diff(SECOND) < Duration::from_micros(10));
        assert_eq!(jittered(SECOND, 0.25, most), SECOND.mul_f64(1.25));
        assert_eq!(jittered(SECOND, 0.0, most), SECOND);
        assert_eq!(jittered(SECOND, 9.0, least), Duration::ZERO);
        assert_eq!(jittered(Duration::MAX, 0.5, most), Duration::MAX);
        let backoff = Backoff::doubling(SECOND, Duration::from_mins(1)).with_jitter(0.5);
        assert_eq!(backoff.jittered(2, most), Duration::from_secs(3));
    }

    fn random([first, second]: [u8; 2]) -> [u8; 16] {
        let mut random = [0; 16];
        (random[0], random[1]) = (first, second);
        random
    }
}
