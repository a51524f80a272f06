//! Programs from `PyPI`, each in a folder of its own beside the build.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::cargo::run;

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Venv {
    /// Its folder in `target`.
    pub(crate) name: &'static str,
    /// The packages, with their versions.
    pub(crate) packages: &'static [&'static str],
    /// The program it brings.
    pub(crate) program: &'static str,
}

impl Venv {
    /// Installs it unless it is there; where the program lies.
    pub(crate) fn ready(self) -> Result<PathBuf> {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")).join(self.name);
        let program = folder.join("bin").join(self.program);
        let done = folder.join("installed");
        // Python itself is there before what it shall bring.
        if !program.is_file() || !done.is_file() {
            let mut venv = Command::new("python3");
            venv.args(["-m", "venv"]).arg(&folder);
            run(venv).context("Python with its venv module is needed (Debian: python3-venv)")?;
            let mut pip = Command::new(folder.join("bin/pip"));
            pip.args(["install", "--quiet"]).args(self.packages);
            run(pip).with_context(|| format!("installing {} from PyPI", self.packages.join(" and ")))?;
            // The last step: a program without it is one whose installation was cut off.
            std::fs::write(done, "").context("noting that it is installed")?;
        }
        Ok(program)
    }
}
