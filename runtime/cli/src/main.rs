//! The binary `provost`.

mod alert;
mod args;
mod commands;
mod demo;
mod follow;
mod output;
mod patient;
mod report;
mod signals;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(&cli.log_filter))
        .with_writer(std::io::stderr)
        .init();
    let output = Output::new(cli.output);
    let result = match cli.command {
        Command::Patient(args) => patient::run(args).map(|()| ExitCode::SUCCESS),
        command => run(command, output),
    };
    result.unwrap_or_else(|error| {
        output.error(&error);
        ExitCode::FAILURE
    })
}

fn run(command: Command, output: Output) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(commands::run(command, output));
    // A thread that still reads the terminal would keep the process.
    runtime.shutdown_background();
    result
}
