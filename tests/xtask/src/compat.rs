//! Incidents on model servers of someone else's making.

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;

use crate::cargo::{cargo, run};
use crate::venv::Venv;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Server {
    /// A proxy with scripted answers, failures among them. 700 MB are installed.
    Litellm,
    /// A model of random weights: real answers that mean nothing. It is compiled, which takes some twenty minutes.
    Llama,
}

impl Server {
    /// What it comes from, pinned: what it answers is part of what is claimed.
    fn venv(self) -> Venv {
        match self {
            Self::Litellm => Venv { name: "compat-venv", packages: &["litellm[proxy]==1.106.2"], program: "litellm" },
            Self::Llama => {
                let packages = &["llama-cpp-python[server]==0.3.36", "gguf==0.19.0"];
                Venv { name: "llama-venv", packages, program: "python" }
            }
        }
    }

    fn incidents(self) -> &'static str {
        match self {
            Self::Litellm => "compat",
            Self::Llama => "nonsense",
        }
    }
}

/// Installs the server, builds the program and runs the incidents on it.
pub(crate) fn compat(server: Server) -> Result<()> {
    let program = server.venv().ready()?;
    run(cargo(&["build", "--workspace", "--all-targets"]))?;
    let mut incidents = cargo(&["run", "--quiet", "--package", "provost-tests", "--example", server.incidents(), "--"]);
    incidents.arg::<&Path>(&program);
    run(incidents)
}
