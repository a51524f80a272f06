//! Incidents on a model server of someone else's making.

use std::path::Path;

use anyhow::Result;

use crate::cargo::{cargo, run};
use crate::venv::Venv;

/// The server, pinned: what it answers is part of what is claimed.
const SERVER: &str = "litellm[proxy]==1.106.2";

/// Installs the server, builds the program and runs the incidents on it.
pub(crate) fn compat() -> Result<()> {
    let venv = Venv { name: "compat-venv", package: SERVER, program: "litellm" };
    let program = venv.ready()?;
    run(cargo(&["build", "--workspace", "--all-targets"]))?;
    let mut incidents = cargo(&["run", "--quiet", "--package", "provost-tests", "--example", "compat", "--"]);
    incidents.arg::<&Path>(&program);
    run(incidents)
}
