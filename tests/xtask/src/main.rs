//! `cargo xtask`: the commands a developer needs, on a machine with only a Rust toolchain.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

mod bench;
mod cargo;
mod chaos;
mod check;
mod compat;
mod machine;
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
    /// Formatting, lints, docs, licences and bans.
    Check,
    /// Many sessions on the real daemon under kill -9, SIGSTOP, restarts and a full disk.
    ///
    /// Afterwards nothing acknowledged may be lost, nothing have happened twice, and no session hang. Filling the disk needs
    /// root (a small file system is mounted); without it that part is skipped and the result says so. The tests do the same
    /// with fewer kills.
    Chaos(chaos::ChaosArgs),
    /// Drives every documented path of a running daemon with generated requests, with and without a token. Needs Python;
    /// the generator is installed from `PyPI` beside the build.
    Openapi {
        /// How many requests.
        #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
        calls: u32,
    },
    /// Runs whole incidents on an OpenAI-compatible server of someone else's making. Needs Python; the server is installed
    /// from `PyPI` beside the build.
    Compat {
        /// Which one.
        #[arg(long, value_enum, default_value_t = compat::Server::Litellm)]
        server: compat::Server,
    },
    /// Plays whole sessions from seeds, with faults, deaths and stale nodes, in virtual time. `cargo xtask sim --release
    /// --seeds 1000000` plays an optimised build; `cargo xtask sim --seed N` replays one seed and tells everything that
    /// happens, the same in both builds; `--help` lists the rest.
    #[command(disable_help_flag = true)]
    Sim {
        /// `--release`; passed on are `--seeds`, `--from`, `--seed`, `--remove`, `--threads`, `--output`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
    /// Runs a benchmark in release mode: `cargo xtask bench w1 --output json`.
    Bench {
        /// Passed on: the workload and its options.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<String>,
    },
}

#[derive(Debug, Args)]
struct TestArgs {
    /// How many times in a row; the counts of each run and of all are printed.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,
    /// The long form of the generators, ten times the cases, and of the races, twenty times the orders.
    #[arg(long)]
    long: bool,
    /// Passed on to nextest, for example a filter.
    #[arg(last = true)]
    rest: Vec<String>,
}

fn main() -> Result<ExitCode> {
    match Xtask::parse().task {
        Task::Test(args) => return test::test(&args),
        Task::Sim { rest } => return sim::sim(&rest),
        Task::Check => check::check(),
        Task::Chaos(args) => return chaos::chaos(&args),
        Task::Openapi { calls } => openapi::openapi(calls),
        Task::Compat { server } => compat::compat(server),
        Task::Bench { rest } => bench::bench(&rest),
    }?;
    Ok(ExitCode::SUCCESS)
}
