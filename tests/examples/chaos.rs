//! The chaos campaign at any length: `cargo xtask chaos --kills N --seed S`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use comfy_table::{Table, presets};
use provost_tests::chaos::{CONTROLS, Control, Progress, QUIET_MAX, Report, Settings, control, run};

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
    /// The program that can be told to do without a mechanism; without it there are no controls.
    #[arg(long)]
    controls: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Chaos { kills, seed, output, program, controls } = Chaos::parse();
    let settings = Settings { program, kills, seed, fill_disk: true, quiet: QUIET_MAX, environment: Vec::new() };
    let report = run(settings, show).await;
    say("\n");
    let mut ran = Vec::new();
    for (without, shown) in controls.iter().flat_map(|_| CONTROLS) {
        let Some(program) = &controls else { continue };
        say(&format!("control: without {without}\n"));
        ran.push(control(program, (without, shown), seed).await);
    }
    if output == "json" {
        let mut figures = report.to_json();
        if let Some(figures) = figures.as_object_mut() {
            figures.insert("controls".to_owned(), ran.iter().map(Control::to_json).collect());
        }
        println!("{figures:#}");
    } else {
        print(&report, &ran);
    }
    let holds = report.is_clean() && ran.iter().all(Control::is_red);
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// To people who watch.
fn say(text: &str) {
    if std::io::stderr().is_terminal() {
        eprint!("{text}");
    }
}

fn show(progress: Progress) {
    let Progress { kills, of, sessions, seen } = progress;
    say(&format!("\r{kills} of {of} kills, {sessions} sessions, {seen} events seen  "));
}

fn print(report: &Report, controls: &[Control]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for (name, value) in report.rows() {
        table.add_row([name, value]);
    }
    for control in controls {
        let found = if control.is_red() { format!("red: {}", control.found.join(", ")) } else { "NOT RED".to_owned() };
        table.add_row([format!("without {}", control.without), found]);
    }
    println!("{table}");
    for breach in report.breaches() {
        println!("{breach}");
    }
    println!("{}", if report.is_clean() { "clean" } else { "BROKEN" });
}
