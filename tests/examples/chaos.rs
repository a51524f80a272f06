//! The chaos campaign at any length: `cargo xtask chaos --kills N --seed S`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};
use comfy_table::{Table, presets};
use provost_tests::chaos::{CONTROLS, Control, Progress, QUIET_MAX, Report, Settings, control, run, witness};
use serde_json::json;

/// Runs the campaign, or is its witness.
#[derive(Debug, Parser)]
enum Chaos {
    Run(Run),
    /// Counts effects until standard input ends.
    Witness {
        /// It cannot tell what did not happen.
        #[arg(long)]
        never_sure: bool,
    },
}

#[derive(Debug, Args)]
struct Run {
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
    /// Runs nothing but this control.
    #[arg(long, requires = "controls")]
    only_control: Option<String>,
}

// The witness relies on having one thread.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Chaos::parse() {
        Chaos::Run(asked) => campaign(asked).await,
        Chaos::Witness { never_sure } => {
            witness(!never_sure, |url| println!("{url}")).await;
            ExitCode::SUCCESS
        }
    }
}

async fn campaign(Run { kills, seed, output, program, controls, only_control }: Run) -> ExitCode {
    let report = match &only_control {
        None => {
            let settings = Settings {
                program,
                kills,
                seed,
                fill_disk: true,
                quiet: QUIET_MAX,
                meetings: false,
                environment: Vec::new(),
            };
            let report = run(settings, show).await;
            say("\n");
            Some(report)
        }
        Some(_) => None,
    };
    let mut ran = Vec::new();
    for (without, shown) in CONTROLS {
        let Some(program) = &controls else { break };
        if only_control.as_ref().is_none_or(|only| only == without) {
            say(&format!("control: without {without}\n"));
            ran.push(control(program, (without, shown), seed, show).await);
            say("\n");
        }
    }
    let holds = report.as_ref().is_none_or(Report::is_clean) && ran.iter().all(Control::is_red);
    if output == "json" {
        let mut figures = report.as_ref().map_or_else(|| json!({"seed": seed}), Report::to_json);
        if let Some(figures) = figures.as_object_mut() {
            figures.insert("controls".to_owned(), ran.iter().map(Control::to_json).collect());
        }
        println!("{figures:#}");
    } else {
        print(seed, report.as_ref(), &ran);
        println!("{}", if holds { "clean" } else { "BROKEN" });
    }
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

fn print(seed: u64, report: Option<&Report>, controls: &[Control]) {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for (name, value) in report.iter().flat_map(|report| report.rows()) {
        table.add_row([name, value]);
    }
    if report.is_none() {
        table.add_row(["seed".to_owned(), seed.to_string()]);
    }
    for control in controls {
        table.add_row([format!("without {}", control.without), control.verdict()]);
    }
    println!("{table}");
    for report in report.into_iter().chain(controls.iter().filter_map(|control| control.counterpart.as_ref())) {
        report.breaches().iter().for_each(|breach| println!("{breach}"));
        if let Some(kept) = report.kept() {
            println!("kept: {}", kept.display());
        }
    }
}
