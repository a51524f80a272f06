//! All chance of a simulation, drawn from its seed. Each part has dice of its own, so that one part drawing more often
//! does not change what the others draw.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use provost_domain::port::Random;

/// Dice shared by the clones.
#[derive(Debug, Clone)]
pub(crate) struct Dice(Arc<Mutex<fastrand::Rng>>);

impl Dice {
    /// The dice of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    /// Dice of one's own, decided by these.
    pub(crate) fn fork(&self) -> Self {
        Self::of(self.with(|rng| rng.u64(..)))
    }

    fn with<T>(&self, draw: impl FnOnce(&mut fastrand::Rng) -> T) -> T {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A number from 0 up to but without `end`, which is above 0.
    pub(crate) fn below(&self, end: u64) -> u64 {
        self.with(|rng| rng.u64(..end.max(1)))
    }

    /// True this many times in a thousand.
    pub(crate) fn permille(&self, times: u64) -> bool {
        self.below(1000) < times
    }

    /// One of them.
    pub(crate) fn pick<T: Clone>(&self, of: &[T]) -> Option<T> {
        of.get(usize::try_from(self.below(of.len() as u64)).unwrap_or(0)).cloned()
    }

    /// A time up to `most_ms` milliseconds; short ones are as likely as long ones.
    pub(crate) fn millis(&self, most_ms: u64) -> Duration {
        let magnitude = self.below(most_ms.max(1)) + 1;
        Duration::from_millis(self.below(magnitude))
    }
}

impl Random for Dice {
    fn bytes(&self) -> [u8; 16] {
        self.with(|rng| rng.u128(..)).to_be_bytes()
    }
}
