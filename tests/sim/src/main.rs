//! `provost-sim`: plays seeds of the simulation, or one seed with everything that happens in it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line tool")]

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, ValueEnum};
use provost_sim::{Options, Removed, Report, count_panics, play, run};
use serde_json::{Value, json};

/// What the command that starts this program takes itself.
const RELEASE: &str = "`cargo xtask sim --release` plays an optimised build, for a hundred thousand seeds and more. A seed plays the same in \
     both.";

/// Whole sessions, their people, models, tools, crashes and faults, all decided by a seed.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask sim", bin_name = "cargo xtask sim", after_help = RELEASE)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only this seed, with everything that happens in it.
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Without one mechanism: the simulation must then find a violation, and its absence is the failure.
    #[arg(long, value_parser = Removed::named)]
    remove: Option<Removed>,
    /// Threads; as many as there are cores by default.
    #[arg(long)]
    threads: Option<usize>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    if args.seed.is_none() {
        count_panics();
    }
    let violated = match args.seed {
        Some(seed) => replay(&args, seed)?,
        None => campaign(&args)?,
    };
    let as_it_must_be = violated == args.remove.is_some();
    Ok(if as_it_must_be { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// One seed, told whole. Whether a promise was broken in it.
fn replay(args: &Args, seed: u64) -> Result<bool> {
    let outcome = play(seed, Options { removed: args.remove, trace: true })?;
    if args.output == Output::Json {
        let digest = outcome.digest.hex();
        let (trace, problems) = (&outcome.trace, &outcome.problems);
        println!("{}", json!({"seed": seed, "digest": digest, "problems": problems, "trace": trace}));
    } else {
        outcome.trace.iter().for_each(|line| println!("{line}"));
        println!("seed {seed}, digest {}", outcome.digest);
        outcome.problems.iter().for_each(|problem| println!("violation: {problem}"));
    }
    Ok(!outcome.problems.is_empty())
}

/// Many seeds. Whether a promise was broken in any.
fn campaign(args: &Args) -> Result<bool> {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = args.threads.unwrap_or_else(cores);
    let shows = std::io::stderr().is_terminal();
    let progress = |report: &Report| {
        if shows && report.seeds.is_multiple_of(50) {
            eprint!("\r{} of {} seeds, {} failed ", report.seeds, args.seeds, report.failures);
        }
    };
    let options = Options { removed: args.remove, trace: false };
    let end = args.from.saturating_add(args.seeds);
    let report = run(args.from..end, options, threads, progress)?;
    if shows {
        eprintln!();
    }
    if args.output == Output::Json {
        println!("{}", as_json(&report, args));
    } else {
        print!("{}", as_text(&report, args)?);
    }
    Ok(report.failures > 0)
}

fn removal(args: &Args) -> String {
    args.remove.map_or_else(String::new, |removed| format!(" --remove {}", removed.name()))
}

fn as_text(report: &Report, args: &Args) -> Result<String> {
    let mut text = String::new();
    for outcome in &report.failed {
        writeln!(text, "seed {} breaks a promise:", outcome.seed)?;
        for problem in &outcome.problems {
            writeln!(text, "  {problem}")?;
        }
        writeln!(text, "  replay it: cargo xtask sim --seed {}{}", outcome.seed, removal(args))?;
    }
    let counts = report.counts;
    writeln!(
        text,
        "{} seeds, {} failed: {} sessions, {} erased, {} events, {} effects, {} notices, {} fences given out; digest {}",
        report.seeds,
        report.failures,
        counts.sessions,
        counts.erased,
        counts.events,
        counts.effects,
        counts.notices,
        counts.fences,
        report.digest().hex(),
    )?;
    Ok(text)
}

fn as_json(report: &Report, args: &Args) -> Value {
    let failed = report.failed.iter().map(|outcome| {
        let replay = format!("cargo xtask sim --seed {}{}", outcome.seed, removal(args));
        json!({"seed": outcome.seed, "problems": outcome.problems, "replay": replay})
    });
    let counts = report.counts;
    json!({
        "from": args.from,
        "seeds": report.seeds,
        "failures": report.failures,
        "failed": failed.collect::<Vec<_>>(),
        "sessions": counts.sessions,
        "erased": counts.erased,
        "events": counts.events,
        "effects": counts.effects,
        "notices": counts.notices,
        "fences": counts.fences,
        "digest": report.digest().hex(),
        "removed": args.remove.map(Removed::name),
    })
}
