//! The binary `provost`.

mod alert;
mod args;
mod cli;
mod commands;
mod conclusion;
mod daemon;
mod demo;
mod follow;
mod fresh;
mod logs;
mod output;
mod progress;
mod remote;
mod secret;
mod signals;
mod source;
mod starters;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;

use args::Packs;
use cli::{Cli, Command};
use logs::Logs;
use output::Output;

/// Every decision allocates much and briefly, on many threads at once: the system's allocator takes a third of all time there.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let logs = Logs::start(cli.log_filter.as_deref(), cli.log_format);
    let output = Output::new(cli.output);
    let tests_packs = matches!(cli.command, Command::Packs(Packs::Test(_)));
    let result = match cli.command {
        _ if output.is_junit() && !tests_packs => Err(anyhow::anyhow!("only `provost packs test` writes JUnit's form")),
        Command::Patient(args) => provost_demo::run(args).map(|()| ExitCode::SUCCESS),
        command => run(command, output, logs),
    };
    result.unwrap_or_else(|error| {
        output.error(&error);
        ExitCode::FAILURE
    })
}

fn run(command: Command, output: Output, logs: Logs) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(commands::run(command, output, logs));
    // A thread that still reads the terminal would keep the process.
    runtime.shutdown_background();
    result
}
