//! Many seeds, on all cores.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use provost_domain::ids::Digest;

use crate::{Counts, Options, Outcome, play};

/// Failing seeds that are kept: the first ones tell enough.
const FAILED_MAX: usize = 20;

/// What many seeds came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// How many were played.
    pub seeds: u64,
    /// The first failing ones.
    pub failed: Vec<Outcome>,
    /// How many failed.
    pub failures: u64,
    /// How much happened.
    pub counts: Counts,
    sum: [u8; 32],
}

impl Report {
    /// Of all outcomes, in whatever order they came: the same for the same seeds.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.sum)
    }

    fn add(&mut self, outcome: Outcome) {
        self.seeds += 1;
        self.counts = self.counts.plus(outcome.counts);
        let own = Digest::of_parts(&[&outcome.seed.to_be_bytes(), outcome.digest.as_bytes()]);
        for (sum, byte) in self.sum.iter_mut().zip(own.as_bytes()) {
            *sum ^= byte;
        }
        if !outcome.problems.is_empty() {
            self.failures += 1;
            self.failed.push(outcome);
            self.failed.sort_by_key(|failed| failed.seed);
            self.failed.truncate(FAILED_MAX);
        }
    }
}

/// Plays the seeds on this many threads; `each` sees the report grow.
///
/// # Errors
/// No runtime could be built.
pub fn run(
    seeds: Range<u64>,
    options: Options,
    threads: usize,
    each: impl Fn(&Report) + Sync,
) -> std::io::Result<Report> {
    let next = AtomicU64::new(seeds.start);
    let report = Mutex::new(Report::default());
    let lane = || -> std::io::Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return Ok(());
            }
            let outcome = play(seed, options)?;
            let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
            report.add(outcome);
            each(&report);
        }
    };
    let results: Vec<std::io::Result<()>> = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(lane)).collect();
        let ended = |lane: std::thread::ScopedJoinHandle<'_, _>| {
            lane.join().unwrap_or_else(|_panic| Err(std::io::Error::other("a simulation's thread panicked")))
        };
        lanes.into_iter().map(ended).collect()
    });
    results.into_iter().collect::<std::io::Result<()>>()?;
    Ok(report.into_inner().unwrap_or_else(PoisonError::into_inner))
}
