//! The commands, one file per group.

mod approvals;
mod audit;
mod backup;
mod carry_on;
mod config;
mod deliveries;
mod erase;
mod local;
mod open;
mod packs;
mod send;
mod serve;
pub(crate) mod sessions;
mod show;
mod tokens;
mod tools;
mod transfer;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Command;
use crate::demo;
use crate::logs::Logs;
use crate::output::Output;

pub(crate) async fn run(command: Command, output: Output, logs: Logs) -> Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(args, output).await,
        Command::Run(args) => open::run(args, output).await,
        Command::Sessions(command) => sessions::run(command, output).await,
        Command::Deliveries(command) => deliveries::run(command, output).await,
        Command::Approvals(command) => approvals::run(command, output).await,
        Command::Packs(command) => packs::run(&command, output).await,
        Command::Config(command) => config::run(command, output, logs).await,
        Command::Audit(command) => audit::run(command, output).await,
        Command::Backup(args) => backup::run(args, output).await,
        Command::Serve(args) => serve::run(args, output, logs).await,
        Command::Tools(command) => tools::run(&command, output).await,
        Command::Tokens(command) => tokens::run(command, output).await,
        Command::Patient(args) => provost_demo::run(args).map(|()| ExitCode::SUCCESS),
    }
}
