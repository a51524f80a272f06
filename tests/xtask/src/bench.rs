//! Runs the benchmarks in release mode.

use anyhow::Result;

use crate::cargo::{cargo, run};

/// Passes all arguments on to the benchmark. `recovery` measures the shipped program, so that is built first: by
/// itself, with only its own features.
pub(crate) fn bench(rest: &[String]) -> Result<()> {
    if rest.first().is_some_and(|what| what == "recovery") {
        run(cargo(&["build", "--release", "--package", "provost-cli"]))?;
    }
    let mut command = cargo(&["run", "--release", "--quiet", "--package", "provost-bench", "--"]);
    command.args(rest);
    run(command)
}
