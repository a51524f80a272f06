//! The seeded simulation at any length.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::cargo::cargo;

/// Where a build of the whole workspace leaves it.
const PROGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/debug/provost-sim");
/// Seeds of every run of all tests: under two minutes on two cores.
const SEEDS: &str = "10000";

/// Builds it as the tests do, so that nothing is built twice, and passes everything on.
pub(crate) fn sim(rest: &[String]) -> Result<ExitCode> {
    let mut build = cargo(&["build", "--workspace", "--all-targets", "--quiet"]);
    // Standard output is the simulation's.
    build.stdout(std::io::stderr());
    if !build.status().context("starting cargo")?.success() {
        bail!("the simulation could not be built: see above");
    }
    let held = play(rest)?;
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What runs with the tests; the program is built already.
pub(crate) fn with_the_tests() -> Result<bool> {
    play(&["--seeds".to_owned(), SEEDS.to_owned()])
}

fn play(arguments: &[String]) -> Result<bool> {
    let status = Command::new(PROGRAM).args(arguments).status().with_context(|| format!("starting {PROGRAM}"))?;
    Ok(status.success())
}
