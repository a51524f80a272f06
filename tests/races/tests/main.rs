//! The lock registry, the inbox and parking under a scheduler that chooses who goes on at every lock: as many orders as
//! chance finds, each of them replayable.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod owner;
mod parking;
mod race;
mod registry;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};

/// Orders tried per scheduler.
const ORDERS: usize = if cfg!(feature = "long") { 20 * 2_000 } else { 2_000 };
/// The same orders in every run.
const SEED: u64 = 4;
/// How many changes of priority the second scheduler makes: races that need more are left to the first.
const DEPTH: usize = 4;
/// Bytes of stack per thread: hashing and JSON without optimisation need more than the default.
const STACK: usize = 512 * 1024;

/// Runs a race in many orders: drawn evenly, then by priorities that change rarely, which finds the rare ones. A panic
/// prints the order, for `shuttle::replay`.
fn in_many_orders(race: fn()) {
    let config = || {
        let mut config = Config::new();
        config.stack_size = STACK;
        config
    };
    Runner::new(RandomScheduler::new_from_seed(SEED, ORDERS), config()).run(race);
    Runner::new(PctScheduler::new_from_seed(SEED, DEPTH, ORDERS), config()).run(race);
}
