//! The short form of the simulation, that seeds replay, and that it finds out when a mechanism is missing.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::ops::Range;
use std::process::Command;

use provost_sim::{Options, Outcome, Removed, Report, count_panics, run};
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
    assert!(counts.notices > SEEDS / 2 && counts.erased > SEEDS / 4, "{counts:?}");
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

/// Without the mechanism a problem of these words shows.
#[track_caller]
fn found_out(name: &str, words: &str) {
    let removed = Removed::named(name).unwrap();
    let says = |outcome: &Outcome| outcome.problems.iter().any(|problem| problem.contains(words));
    let shows = |first| play(first..first + CONTROL_STEP as u64, Some(removed)).failed.iter().any(says);
    let found = (0..CONTROL).step_by(CONTROL_STEP).any(shows);
    assert!(found, "in {CONTROL} seeds without `{name}` nothing says `{words}`");
}

#[test]
fn a_fence_that_is_not_checked_is_found_out() {
    found_out("fence", "was taken while");
}

#[test]
fn parking_over_a_wake_up_is_found_out() {
    found_out("wake-seq", "parked over");
}

#[test]
fn an_effect_before_its_intent_is_found_out() {
    found_out("intent", "without an intent");
}

#[test]
fn an_approval_that_is_not_consumed_is_found_out() {
    found_out("consumption", "is not consumed");
}

#[test]
fn a_key_that_changes_with_the_attempt_is_found_out() {
    found_out("key", "came under 2 keys");
}

#[test]
fn a_call_made_again_without_its_tools_no_is_found_out() {
    found_out("probe", "happened 2 times");
    found_out("probe", "nobody knows that it did not happen");
}

#[test]
fn a_notice_that_counts_as_sent_before_it_is_sent_is_found_out() {
    found_out("noting", "never arrived");
}

#[test]
fn erasing_over_what_came_meanwhile_is_found_out() {
    found_out("at-rest", "commands and");
}

#[test]
fn going_on_under_another_pack_is_found_out() {
    found_out("pin", "asked as another pack has it");
}

#[test]
fn taking_a_target_that_is_taken_is_found_out() {
    found_out("claims", "acts beside");
}
