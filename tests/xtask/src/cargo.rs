//! Running cargo.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// A cargo command without standard input.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command to its end; any other end than success is an error.
pub(crate) fn run(mut command: Command) -> Result<()> {
    if !succeeds(&mut command)? {
        bail!("{command:?} failed");
    }
    Ok(())
}

/// Runs a command to its end and says whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    // Not among what the command prints, which may be read by a machine.
    eprintln!("$ {command:?}");
    let status = command.status().with_context(|| format!("starting {command:?}"))?;
    Ok(status.success())
}

/// A cargo subcommand from the registry, installed when it is missing.
pub(crate) fn require(subcommand: &str, package: &str) -> Result<()> {
    let mut probe = cargo(&[subcommand, "--version"]);
    let there = probe.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if there {
        return Ok(());
    }
    println!("cargo {subcommand} is missing and is installed now; this takes some minutes");
    run(cargo(&["install", "--locked", package]))
        .with_context(|| format!("`cargo install --locked {package}` failed; install it by hand and run this again"))
}
