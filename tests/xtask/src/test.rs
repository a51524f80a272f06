//! Runs every test, once or several times in a row, without retries.

use std::io::ErrorKind;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};

use crate::TestArgs;
use crate::cargo::{cargo, require, run, succeeds};
use crate::machine::{self, Missing};
use crate::sim;
use crate::tally::Tally;

/// The report that the profile `ci` of `.config/nextest.toml` writes.
const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/nextest/ci/junit.xml");
/// The features of `--long`.
const LONG: [&str; 2] = ["--features", "provost-tests/long,provost-races/long"];

/// Runs the tests and prints counts per run; the last line is `N passed, N failed` over all runs. Failed tests give an
/// exit code, not an error; an error means that the tests could not run.
pub(crate) fn test(args: &TestArgs) -> Result<ExitCode> {
    require("nextest", "cargo-nextest")?;
    // The integration tests run the program itself.
    let mut build = cargo(&["build", "--workspace", "--all-targets"]);
    build.args(features(args));
    run(build)?;
    let missing = machine::ready();
    let mut total = Tally::default();
    let mut red_runs = 0;
    for turn in 1..=args.repeat {
        let tally = once(args, &missing)?;
        println!("run {turn} of {}: {} passed, {} failed", args.repeat, tally.passed, tally.failures());
        red_runs += u32::from(tally.failures() > 0);
        total.add(tally);
    }
    let examples = succeeds(&mut cargo(&["test", "--workspace", "--doc", "--quiet"]))?;
    // With arguments for nextest only those tests were asked for.
    let promises = !args.rest.is_empty() || sim::with_the_tests()?;
    if !promises {
        println!("failed: the simulation");
    }
    if !examples {
        println!("failed: examples in the documentation");
    }
    for (name, count) in &total.failed {
        println!("failed: {name} ({count} of {} runs)", args.repeat);
    }
    for Missing { tests, why } in &missing {
        println!("skipped: {tests}* ({why})");
    }
    println!("{} runs: {} without a failure, {red_runs} with", args.repeat, args.repeat - red_runs);
    println!("{} passed, {} failed", total.passed, total.failures());
    Ok(if examples && promises && red_runs == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn features(args: &TestArgs) -> &[&'static str] {
    if args.long { &LONG } else { &[] }
}

fn once(args: &TestArgs, missing: &[Missing]) -> Result<Tally> {
    // An old report must not be read as the one of this run.
    match std::fs::remove_file(REPORT) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("removing {REPORT}"));
        }
        Ok(()) | Err(_) => {}
    }
    let mut nextest = cargo(&["nextest", "run", "--workspace", "--profile", "ci", "--retries", "0"]);
    nextest.args(features(args)).args(&args.rest);
    if !missing.is_empty() {
        // Filters after `--` apply in addition to those that were passed on.
        nextest.args((!args.rest.iter().any(|arg| arg == "--")).then_some("--"));
        nextest.args(missing.iter().flat_map(|missing| ["--skip", missing.tests]));
    }
    let green = succeeds(&mut nextest)?;
    let report = std::fs::read_to_string(REPORT).context("nextest wrote no report, so it did not run the tests")?;
    let tally = Tally::read(&report)?;
    if !green && tally.failures() == 0 {
        bail!("{nextest:?} failed although no test failed: see its output above");
    }
    Ok(tally)
}
