//! Generated requests against every documented path.

use anyhow::Result;

use crate::cargo::{cargo, run};
use crate::venv::Venv;

/// The generator, pinned: its checks are part of what is claimed.
const GENERATOR: &str = "schemathesis==4.32.5";

/// Installs the generator, builds the program and runs the campaign on it.
pub(crate) fn openapi(calls: u32) -> Result<()> {
    let venv = Venv { name: "openapi-venv", packages: &[GENERATOR], program: "schemathesis" };
    let program = venv.ready()?;
    run(cargo(&["build", "--workspace", "--all-targets"]))?;
    let mut campaign = cargo(&["run", "--quiet", "--package", "provost-tests", "--example", "openapi", "--"]);
    campaign.arg(program).arg(calls.to_string());
    run(campaign)
}
