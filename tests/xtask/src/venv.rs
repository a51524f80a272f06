//! Programs from `PyPI`, each installed in a folder of its own in the build folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::cargo::run;

/// A Python program and its virtual environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Venv {
    /// The environment's folder in `target`.
    pub(crate) name: &'static str,
    /// The packages to install, with their versions.
    pub(crate) packages: &'static [&'static str],
    /// What the environment says while they are built.
    pub(crate) build: &'static [(&'static str, &'static str)],
    /// The program to run, in the environment's `bin`.
    pub(crate) program: &'static str,
}

impl Venv {
    /// The program's path, after installing it if it is missing.
    pub(crate) fn ready(self) -> Result<PathBuf> {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")).join(self.name);
        let program = folder.join("bin").join(self.program);
        let done = folder.join("installed");
        // The file `installed` is checked too: Python itself is there before the packages are.
        if !program.is_file() || !done.is_file() {
            let mut venv = Command::new("python3");
            venv.args(["-m", "venv"]).arg(&folder);
            run(venv).context("Python with its venv module is needed (Debian: python3-venv)")?;
            let mut pip = Command::new(folder.join("bin/pip"));
            pip.args(["install", "--quiet"]).args(self.packages).envs(self.build.iter().copied());
            run(pip).with_context(|| format!("installing {} from PyPI", self.packages.join(" and ")))?;
            // The last step: without this file the installation was interrupted.
            std::fs::write(done, "").context("writing the file that marks a complete installation")?;
        }
        Ok(program)
    }
}
