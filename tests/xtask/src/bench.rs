//! Benchmarks, in release mode.

use anyhow::Result;

use crate::cargo::{cargo, run};

/// Passes everything on to the benchmark.
pub(crate) fn bench(rest: &[String]) -> Result<()> {
    let mut command = cargo(&["run", "--release", "--quiet", "--package", "provost-bench", "--"]);
    command.args(rest);
    run(command)
}
