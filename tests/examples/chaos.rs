//! The chaos campaign at any length: `cargo xtask chaos --kills N --seed S`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use comfy_table::{Table, presets};
use provost_tests::chaos::{Progress, Report, Settings, run};

#[derive(Debug, Parser)]
struct Chaos {
    #[arg(long)]
    kills: u32,
    #[arg(long)]
    seed: u64,
    #[arg(long)]
    output: String,
    #[arg(long)]
    program: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Chaos { kills, seed, output, program } = Chaos::parse();
    let settings = Settings { program, kills, seed, fill_disk: true, environment: Vec::new() };
    let report = run(settings, show).await;
    if std::io::stderr().is_terminal() {
        eprintln!();
    }
    if output == "json" {
        println!("{:#}", report.to_json());
    } else {
        print(&report);
    }
    if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn show(progress: Progress) {
    if std::io::stderr().is_terminal() {
        let Progress { kills, of, sessions, seen } = progress;
        eprint!("\r{kills} of {of} kills, {sessions} sessions, {seen} events seen  ");
    }
}

fn print(report: &Report) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for (name, value) in report.rows() {
        table.add_row([name, value]);
    }
    println!("{table}");
    for breach in report.breaches() {
        println!("{breach}");
    }
    println!("{}", if report.is_clean() { "clean" } else { "BROKEN" });
}
