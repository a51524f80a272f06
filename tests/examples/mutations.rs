//! Changed configurations in any number: `cargo xtask config --mutations N --seed S`.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use provost_tests::mutations::{MutationSettings, MutationTally, mutate};

#[derive(Debug, Parser)]
struct Mutations {
    count: u32,
    seed: u64,
    program: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Mutations { count, seed, program } = Mutations::parse();
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    let MutationTally { good, bad, unchecked, wrong } =
        mutate(&MutationSettings { program, seed, count, at_once }).await;
    for wrong in &wrong {
        println!("{wrong}");
    }
    let agreed = good + bad + unchecked;
    println!("{agreed} agreed ({good} good, {bad} bad, {unchecked} cannot be checked), {} did not", wrong.len());
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
