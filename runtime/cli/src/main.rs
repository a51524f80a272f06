//! The binary `provost`.

mod alert;
mod args;
mod commands;
mod demo;
mod follow;
mod output;
mod patient;
mod report;
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
        command => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(anyhow::Error::from)
            .and_then(|runtime| runtime.block_on(commands::run(command, output))),
    };
    result.unwrap_or_else(|error| {
        output.error(&error);
        ExitCode::FAILURE
    })
}
