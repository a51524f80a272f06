//! The binary `provost`.

mod patient;

use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "provost", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Run the faulty shop that the demo and the tests work on.
    #[command(hide = true)]
    Patient(patient::PatientArgs),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Patient(args) => patient::run(args),
    }
}
