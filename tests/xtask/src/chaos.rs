//! The chaos campaign.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::cargo::{cargo, run, succeeds};

/// How a campaign is run.
#[derive(Debug, Args)]
pub(crate) struct ChaosArgs {
    /// How often the daemon is killed.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
    /// Chooses what happens when, and who answers what; the kernel's timing stays its own.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Form::Text)]
    output: Form,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    Text,
    Json,
}

impl Form {
    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// Builds the program and runs the campaign on it; fails when a rule was broken.
pub(crate) fn chaos(args: &ChaosArgs) -> Result<ExitCode> {
    run(cargo(&["build", "--workspace", "--all-targets"]))?;
    let built = std::env::current_exe().context("where xtask is")?;
    let folder = built.parent().context("xtask lies in no folder")?;
    let program: PathBuf = folder.join(format!("provost{}", std::env::consts::EXE_SUFFIX));
    let mut campaign = std::process::Command::new(folder.join("examples/chaos"));
    campaign.args(["--kills", &args.kills.to_string(), "--seed", &args.seed.to_string()]);
    campaign.args(["--output", args.output.word(), "--program"]).arg(program);
    Ok(if succeeds(&mut campaign)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
