//! Builds and runs the seeded simulation.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail};

use crate::cargo::cargo;

/// The workspace's build folder.
const TARGET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target");
/// How many seeds every run of all tests plays: under two minutes on two cores.
const SEEDS: &str = "10000";
/// The one option that xtask reads itself; all others are passed on to the simulation.
const RELEASE: &str = "--release";

/// Which build of the simulation runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Build {
    /// The build that the tests use, so that nothing is built twice.
    Tests,
    /// An optimised build. Its compile time pays off from a hundred thousand seeds on.
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

/// Builds the simulation and runs it with all arguments but `--release`.
pub(crate) fn sim(rest: &[String]) -> Result<ExitCode> {
    let (ours, passed): (Vec<String>, Vec<String>) = rest.iter().cloned().partition(|argument| argument == RELEASE);
    let build = if ours.is_empty() { Build::Tests } else { Build::Release };
    let mut building = cargo(build.arguments());
    // Standard output belongs to the simulation.
    building.stdout(std::io::stderr());
    if !building.status().context("starting cargo")?.success() {
        bail!("the simulation could not be built: see above");
    }
    let held = build.play(&passed)?;
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays the seeds that belong to a run of all tests; the program is already built.
pub(crate) fn with_the_tests() -> Result<bool> {
    Build::Tests.play(&["--seeds".to_owned(), SEEDS.to_owned()])
}
