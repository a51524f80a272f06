//! Sends generated requests to every documented path of a daemon.

use anyhow::Result;

use crate::cargo::{cargo, run};
use crate::venv::Venv;

/// The package of the generator. Its version is fixed, because another one would check other things.
const GENERATOR: &str = "schemathesis==4.32.5";

/// Installs the generator, builds the program and sends `calls` requests to it.
pub(crate) fn openapi(calls: u32) -> Result<()> {
    let venv = Venv { name: "openapi-venv", packages: &[GENERATOR], build: &[], program: "schemathesis" };
    let program = venv.ready()?;
    run(cargo(&["build", "--workspace", "--all-targets"]))?;
    let mut campaign = cargo(&["run", "--quiet", "--package", "provost-tests", "--example", "openapi", "--"]);
    campaign.arg(program).arg(calls.to_string());
    run(campaign)
}
