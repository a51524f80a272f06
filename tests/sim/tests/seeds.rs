//! The short form of the simulation, that seeds replay, and that it finds out when a mechanism is missing.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::ops::Range;
use std::process::Command;

use provost_sim::{Options, Removed, Report, count_panics, run};
use serde_json::Value;

/// Seeds of the short form.
const SEEDS: u64 = 500;
/// Seeds after which a missing mechanism must have shown. The rarest shows in one seed of thirty.
const CONTROL: u64 = 800;
/// So many of them at a time, until it shows.
const CONTROL_STEP: usize = 40;
/// Seeds that are played again.
const AGAIN: u64 = 40;

fn play(seeds: Range<u64>, removed: Option<Removed>) -> Report {
    count_panics();
    run(seeds, Options { removed, trace: false }, 2, |_| {}).unwrap()
}

#[test]
fn every_promise_holds() {
    let report = play(0..SEEDS, None);
    let failed: Vec<_> = report.failed.iter().map(|outcome| (outcome.seed, &outcome.problems)).collect();
    assert_eq!(report.failures, 0, "replay with `cargo xtask sim --seed N`: {failed:#?}");
    // A simulation in which nothing happens would prove nothing.
    let counts = report.counts;
    assert!(counts.sessions > SEEDS && counts.events > 50 * SEEDS, "{counts:?}");
    assert!(counts.effects > 5 * SEEDS && counts.fences > 2 * SEEDS, "{counts:?}");
}

#[test]
fn seeds_replay_identically_here_and_in_another_process() {
    let first = play(0..AGAIN, None).digest();
    assert_eq!(play(0..AGAIN, None).digest(), first);
    let mut command = Command::new(env!("CARGO_BIN_EXE_provost-sim"));
    let output = command.args(["--seeds", &AGAIN.to_string(), "--threads", "1", "--output", "json"]).output().unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["digest"], first.hex());
    assert_ne!(play(0..AGAIN + 1, None).digest(), first, "another seed, the same digest");
}

#[track_caller]
fn found_out(name: &str) {
    let removed = Removed::named(name).unwrap();
    let shows = |first| play(first..first + CONTROL_STEP as u64, Some(removed)).failures > 0;
    assert!((0..CONTROL).step_by(CONTROL_STEP).any(shows), "nothing shows in {CONTROL} seeds that `{name}` is missing");
}

#[test]
fn a_fence_that_is_not_checked_is_found_out() {
    found_out("fence");
}

#[test]
fn parking_over_a_wake_up_is_found_out() {
    found_out("wake-seq");
}

#[test]
fn an_effect_before_its_intent_is_found_out() {
    found_out("intent");
}

#[test]
fn an_approval_that_is_not_consumed_is_found_out() {
    found_out("consumption");
}
