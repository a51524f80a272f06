//! `cargo xtask`: the commands a developer needs, on a machine with only a Rust toolchain.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

mod bench;
mod cargo;
mod chaos;
mod check;
mod compat;
mod config;
mod machine;
mod mutants;
mod openapi;
mod sim;
mod tally;
mod test;
mod venv;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Develops Provost")]
struct Xtask {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Builds the program and runs every test, without retries; ends with `N passed, N failed`.
    Test(TestArgs),
    /// Checks formatting, lints, docs, licences and banned dependencies.
    Check,
    /// Runs many sessions on the real daemon under kill -9, SIGSTOP, restarts and a full disk.
    ///
    /// Afterwards nothing acknowledged may be lost, nothing may have happened twice, and no session may hang. Filling
    /// the disk needs root (a small file system is mounted); without root that part is skipped and the result says so.
    /// The tests do the same with fewer kills.
    Chaos(chaos::ChaosArgs),
    /// Changes a configuration in many ways, one at a time: `config check` passes exactly what `serve` starts with.
    Config(config::ConfigArgs),
    /// Changes the rules of the domain in small ways, one at a time: some test must fail with each, or the change stands in
    /// `tests/xtask/mutants.txt` with its reason. Takes hours as a whole; a shard takes its part of it.
    Mutants {
        /// Which part of all changes: `0/8` is the first of eight.
        #[arg(long, default_value = "0/1")]
        shard: String,
        /// Only these files instead of all rules.
        #[arg(long)]
        file: Vec<String>,
    },
    /// Sends generated requests to every documented path of a running daemon, with and without a token. Needs Python;
    /// installs the generator from `PyPI` into the build folder.
    Openapi {
        /// How many requests to send.
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
        calls: u32,
    },
    /// Runs whole incidents on an OpenAI-compatible server that another project makes. Needs Python; installs the
    /// server from `PyPI` into the build folder.
    Compat {
        /// The server to run on.
        #[arg(long, value_enum, default_value_t = compat::Server::Litellm)]
        server: compat::Server,
    },
    /// Plays whole sessions from seeds, with faults, crashes and former owners that still run, in virtual time.
    /// `cargo xtask sim --release --seeds 1000000` plays an optimised build; `cargo xtask sim --seed N` replays one seed
    /// and prints everything that happens, the same in both builds; `--help` lists the other options.
    #[command(disable_help_flag = true)]
    Sim {
        /// `--release`, and options that are passed on: `--seeds`, `--from`, `--seed`, `--remove`, `--threads`,
        /// `--output`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Runs a benchmark in release mode: `cargo xtask bench w1 --output json`.
    Bench {
        /// The workload and its options, passed on to the benchmark.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
}

#[derive(Debug, Args)]
struct TestArgs {
    /// How many runs in a row; prints the counts of each run and of all runs.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// Plays ten times as many generated cases, and twenty times as many orders of the races.
    #[arg(long)]
    long: bool,
    /// Arguments for nextest, for example a filter.
    #[arg(last = true)]
    rest: Vec<String>,
}

fn main() -> Result<ExitCode> {
    match Xtask::parse().task {
        Task::Test(args) => return test::test(&args),
        Task::Sim { rest } => return sim::sim(&rest),
        Task::Check => check::check(),
        Task::Chaos(args) => return chaos::chaos(&args),
        Task::Config(args) => return config::config(&args),
        Task::Mutants { shard, file } => mutants::mutants(&shard, &file),
        Task::Openapi { calls } => openapi::openapi(calls),
        Task::Compat { server } => compat::compat(server),
        Task::Bench { rest } => bench::bench(&rest),
    }?;
    Ok(ExitCode::SUCCESS)
}
