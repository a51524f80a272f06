//! The kill -9 campaign at any length.

use anyhow::Result;

use crate::cargo::{cargo, run};

/// Builds the program and runs the campaign on it.
pub(crate) fn kills(instants: u32, seed: u64) -> Result<()> {
    run(cargo(&["build", "--package", "provost-cli"]))?;
    let mut campaign = cargo(&["run", "--quiet", "--package", "provost-tests", "--example", "kills", "--"]);
    campaign.args([instants.to_string(), seed.to_string()]);
    run(campaign)
}
