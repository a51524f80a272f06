//! kill -9 at sixteen instants of an incident, four in each test; `cargo xtask kills` does it at any number of instants.

use provost_tests::kills::{Lengths, kill_at, shares};

/// The same shares in every run; change it by hand to look elsewhere.
const SEED: u64 = 20_261_120;

/// Kills at four instants of this quarter of an incident.
async fn kills_in_quarter(quarter: u32) {
    let lengths = Lengths::measure().await;
    let from = f64::from(quarter) / 4.0;
    for share in shares(SEED + u64::from(quarter), 4, from, from + 0.25) {
        kill_at(lengths, share).await;
    }
}

#[tokio::test]
async fn kill_9_in_the_first_quarter_loses_nothing_and_repeats_nothing() {
    kills_in_quarter(0).await;
}

#[tokio::test]
async fn kill_9_in_the_second_quarter_loses_nothing_and_repeats_nothing() {
    kills_in_quarter(1).await;
}

#[tokio::test]
async fn kill_9_in_the_third_quarter_loses_nothing_and_repeats_nothing() {
    kills_in_quarter(2).await;
}

#[tokio::test]
async fn kill_9_in_the_last_quarter_loses_nothing_and_repeats_nothing() {
    kills_in_quarter(3).await;
}
