//! Builds the program and compares what it says of changed configurations with whether it starts with them.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::cargo::{cargo, run, succeeds};

/// Which changes are tried.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    /// How many.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    mutations: u32,
    /// The first one's seed; each has the next.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Fails where check and start do not agree.
pub(crate) fn config(args: &ConfigArgs) -> Result<ExitCode> {
    let built = std::env::current_exe().context("looking for xtask's own folder")?;
    let folder = built.parent().context("xtask's own path has no folder")?;
    run(cargo(&["build", "--workspace", "--all-targets"]))?;
    let mut mutations = Command::new(folder.join("examples/mutations"));
    mutations.args([args.mutations.to_string(), args.seed.to_string()]);
    mutations.arg(folder.join(format!("provost{}", std::env::consts::EXE_SUFFIX)));
    Ok(if succeeds(&mut mutations)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
