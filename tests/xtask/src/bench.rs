//! Benchmarks, in release mode.

use anyhow::Result;

use crate::cargo::{cargo, run};

/// Passes everything on to the benchmark. A recovery is measured on the program as it is shipped: built by itself, with
/// its own features.
pub(crate) fn bench(rest: &[String]) -> Result<()> {
    if rest.first().is_some_and(|what| what == "recovery") {
        run(cargo(&["build", "--release", "--package", "provost-cli"]))?;
    }
    let mut command = cargo(&["run", "--release", "--quiet", "--package", "provost-bench", "--"]);
    command.args(rest);
    run(command)
}
