//! The seeded simulation at any length.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::cargo::cargo;

/// Where builds leave what they make.
const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target");
/// Seeds of every run of all tests: under two minutes on two cores.
const SEEDS: &str = "10000";
/// Ours; everything else is the simulation's.
const RELEASE: &str = "--release";

/// The build that plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Build {
    /// The tests' own, so that nothing is built twice.
    Tests,
    /// Optimised: worth its building time for a hundred thousand seeds and more.
    Release,
}

impl Build {
    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Tests => &["build", "--workspace", "--all-targets", "--quiet"],
            Self::Release => &["build", RELEASE, "--package", "provost-sim", "--bin", "provost-sim"],
        }
    }

    fn program(self) -> PathBuf {
        let profile = match self {
            Self::Tests => "debug",
            Self::Release => "release",
        };
        Path::new(TARGET).join(profile).join("provost-sim")
    }

    fn play(self, arguments: &[String]) -> Result<bool> {
        let program = self.program();
        let status = Command::new(&program).args(arguments).status();
        Ok(status.with_context(|| format!("starting {}", program.display()))?.success())
    }
}

/// Builds it and passes everything on but `--release`.
pub(crate) fn sim(rest: &[String]) -> Result<ExitCode> {
    let (ours, passed): (Vec<String>, Vec<String>) = rest.iter().cloned().partition(|argument| argument == RELEASE);
    let build = if ours.is_empty() { Build::Tests } else { Build::Release };
    let mut building = cargo(build.arguments());
    // Standard output is the simulation's.
    building.stdout(std::io::stderr());
    if !building.status().context("starting cargo")?.success() {
        bail!("the simulation could not be built: see above");
    }
    let held = build.play(&passed)?;
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What runs with the tests; the program is built already.
pub(crate) fn with_the_tests() -> Result<bool> {
    Build::Tests.play(&["--seeds".to_owned(), SEEDS.to_owned()])
}
