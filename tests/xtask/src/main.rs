//! `cargo xtask`: the commands a developer needs, on a machine with only a Rust toolchain.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Develops Provost")]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Builds the program and runs every test, without retries.
    Test {
        /// How many times in a row.
        #[arg(long, default_value_t = 1)]
        repeat: u32,
        /// Passed on to nextest, for example a filter.
        #[arg(last = true)]
        rest: Vec<String>,
    },
    /// Formatting, lints, docs, licences and bans.
    Check,
    /// Runs a benchmark in release mode: `cargo xtask bench w1 --output json`.
    Bench {
        /// Passed on: the workload and its options.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
}

fn main() -> Result<()> {
    match Xtask::parse().task {
        Task::Test { repeat, rest } => test(repeat, &rest),
        Task::Check => check(),
        Task::Bench { rest } => bench(&rest),
    }
}

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run(mut command: Command) -> Result<()> {
    println!("$ {command:?}");
    let status = command.status().with_context(|| format!("starting {command:?}"))?;
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(())
}

/// A cargo subcommand from the registry, installed when it is missing.
fn require(subcommand: &str, package: &str) -> Result<()> {
    let mut probe = cargo(&[subcommand, "--version"]);
    let there = probe.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if there {
        return Ok(());
    }
    println!("cargo {subcommand} is missing and is installed now; this takes some minutes");
    run(cargo(&["install", "--locked", package]))
        .with_context(|| format!("`cargo install --locked {package}` failed; install it by hand and run this again"))
}

fn test(repeat: u32, rest: &[String]) -> Result<()> {
    require("nextest", "cargo-nextest")?;
    // The integration tests run the program itself.
    run(cargo(&["build", "--workspace", "--all-targets"]))?;
    for turn in 1..=repeat {
        if repeat > 1 {
            println!("run {turn} of {repeat}");
        }
        let mut nextest = cargo(&["nextest", "run", "--workspace", "--retries", "0"]);
        nextest.args(rest);
        run(nextest)?;
    }
    run(cargo(&["test", "--workspace", "--doc", "--quiet"]))
}

fn check() -> Result<()> {
    run(cargo(&["fmt", "--all", "--check"]))?;
    run(cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    let mut docs = cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    run(docs)?;
    require("deny", "cargo-deny")?;
    run(cargo(&["deny", "--workspace", "check", "bans", "licenses", "sources"]))
}

fn bench(rest: &[String]) -> Result<()> {
    let mut command = cargo(&["run", "--release", "--quiet", "--package", "provost-bench", "--"]);
    command.args(rest);
    run(command)
}
