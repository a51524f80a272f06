//! The binary `provost`.

mod alert;
mod args;
mod commands;
mod daemon;
mod demo;
mod follow;
mod logs;
mod output;
mod patient;
mod remote;
mod report;
mod secret;
mod wiring;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Cli, Command};
use logs::Logs;
use output::Output;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let logs = Logs::start(cli.log_filter.as_deref(), cli.log_format);
    let output = Output::new(cli.output);
    let result = match cli.command {
        Command::Patient(args) => patient::run(args).map(|()| ExitCode::SUCCESS),
        command => tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(anyhow::Error::from)
            .and_then(|runtime| runtime.block_on(commands::run(command, output, logs))),
    };
    result.unwrap_or_else(|error| {
        output.error(&error);
        ExitCode::FAILURE
    })
}
