//! Generated requests against every documented path.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::cargo::{cargo, run};

/// Where the generator is installed.
const VENV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/openapi-venv");
/// The generator, pinned: its checks are part of what is claimed.
const GENERATOR: &str = "schemathesis==4.32.5";

/// Installs the generator, builds the program and runs the campaign on it.
pub(crate) fn openapi(calls: u32) -> Result<()> {
    let program = Path::new(VENV).join("bin/schemathesis");
    if !program.is_file() {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv", VENV]);
        run(venv).context("Python with its venv module is needed (Debian: python3-venv)")?;
        let mut pip = Command::new(Path::new(VENV).join("bin/pip"));
        pip.args(["install", "--quiet", GENERATOR]);
        run(pip).context("installing the generator from PyPI")?;
    }
    run(cargo(&["build", "--workspace", "--all-targets"]))?;
    let mut campaign = cargo(&["run", "--quiet", "--package", "provost-tests", "--example", "openapi", "--"]);
    campaign.arg(program).arg(calls.to_string());
    run(campaign)
}
