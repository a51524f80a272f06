//! How xtask runs cargo.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// A cargo command without standard input.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command and waits for it; an exit code other than 0 is an error.
pub(crate) fn run(mut command: Command) -> Result<()> {
    if !succeeds(&mut command)? {
        bail!("{command:?} failed");
    }
    Ok(())
}

/// Runs a command, waits for it and says whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    // On standard error: programs may read the command's standard output.
    eprintln!("$ {command:?}");
    let status = command.status().with_context(|| format!("starting {command:?}"))?;
    Ok(status.success())
}

/// Installs a cargo subcommand from the registry if it is missing.
pub(crate) fn require(subcommand: &str, package: &str) -> Result<()> {
    let mut probe = cargo(&[subcommand, "--version"]);
    let there = probe.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if there {
        return Ok(());
    }
    println!("cargo {subcommand} is missing; installing it now takes some minutes");
    run(cargo(&["install", "--locked", package]))
        .with_context(|| format!("`cargo install --locked {package}` failed; install it by hand and run this again"))
}
