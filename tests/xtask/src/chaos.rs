//! Builds what the chaos campaign needs and runs it.

use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};

use crate::cargo::{cargo, run, succeeds};

/// What `--help` says at its end.
const MORE: &str = "\
Results go to standard output, progress to standard error where that is a terminal.
Exit code 0: every rule held and every control broke one. 1: otherwise; the result says
which rule was broken and names the folder that was kept.

  cargo xtask chaos                                      50 kills, then the controls
  cargo xtask chaos --kills 500 --output json            for a record
  cargo xtask chaos --kills 10 --seed 7 --skip-controls  while changing something
  cargo xtask chaos --only-control fence --seed 7        two daemons on one store
";

/// How a campaign is run.
#[derive(Debug, Args)]
#[command(after_help = MORE)]
pub(crate) struct ChaosArgs {
    /// How often the daemon is killed.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    kills: u32,
    /// Decides which faults happen when, and who answers what; the kernel's timing is not controlled. The result names
    /// the seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leaves out the controls: campaigns on a program without one of its mechanisms, in which a rule must be broken.
    #[arg(long)]
    skip_controls: bool,
    /// Runs one control only: intent, consumption, `wake_seq` or fence.
    #[arg(long, value_name = "MECHANISM", conflicts_with = "skip_controls",
          value_parser = ["intent", "consumption", "wake_seq", "fence"])]
    only_control: Option<String>,
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

/// Builds the programs and runs the campaign on them. Fails if a rule was broken, or if a control broke none.
pub(crate) fn chaos(args: &ChaosArgs) -> Result<ExitCode> {
    let built = std::env::current_exe().context("looking for xtask's own folder")?;
    let folder = built.parent().context("xtask's own path has no folder")?;
    let program = folder.join(format!("provost{}", std::env::consts::EXE_SUFFIX));
    let everything = ["build", "--workspace", "--all-targets"];
    let mut campaign = Command::new(folder.join("examples/chaos"));
    campaign.arg("run");
    if !args.skip_controls {
        run(cargo(&[&everything[..], &["--features", "provost-cli/controls"]].concat()))?;
        let controls = folder.join("controls").join("provost");
        std::fs::create_dir_all(folder.join("controls"))?;
        std::fs::copy(&program, &controls).with_context(|| format!("writing {}", controls.display()))?;
        campaign.arg("--controls").arg(controls);
    }
    campaign.args(args.only_control.iter().flat_map(|only| ["--only-control", only]));
    run(cargo(&everything))?;
    campaign.args(["--kills", &args.kills.to_string(), "--seed", &args.seed.to_string()]);
    campaign.args(["--output", args.output.word(), "--program"]).arg(program);
    Ok(if succeeds(&mut campaign)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
