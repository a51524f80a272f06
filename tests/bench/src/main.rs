//! `cargo xtask bench w1`: the workload of an operational session without model latency; `bench intake`: deliveries over HTTP
//! at a steady rate; `bench storm`: one delivery of very many alerts; `bench growth`: one long session; `bench recovery`: a start after kill -9; `bench sse`: one busy session
//! with and without readers of its stream. A benchmark, never a test: compare ratios within one run.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its figures")]

mod crowd;
mod face;
mod growth;
mod intake;
mod machine;
mod parts;
mod run;
mod sse;
mod storm;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use mimalloc::MiMalloc;
use provost_tests::chaos::{Herd, recovery};
use serde_json::{Value, json};

/// That of the binary `provost`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Debug, Parser)]
struct Bench {
    #[command(subcommand)]
    what: What,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Four agents in sequence, two tools each.
    W1 {
        /// How results are printed.
        #[arg(long, value_enum, default_value_t = Form::Text)]
        output: Form,
        /// Parked sessions whose memory is measured.
        #[arg(long, default_value_t = 10_000)]
        parked: u32,
        /// Turns of the growth measurement.
        #[arg(long, default_value_t = 500)]
        turns: u32,
    },
    /// One session of many turns: bytes, time per turn, and what loading it costs.
    Growth {
        /// How many turns; one session for each number.
        #[arg(long, value_delimiter = ',', default_values_t = [500, 5_000])]
        turns: Vec<u32>,
    },
    /// A store full of sessions, some of them at work at kill -9: time to the first answer, and until all of them go on.
    Recovery {
        /// Sessions that are closed or parked, half of them each.
        #[arg(long, default_value_t = 9_000)]
        resting: usize,
        /// Sessions that are at work when the daemon is killed.
        #[arg(long, default_value_t = 1_000)]
        running: usize,
        /// The program.
        #[arg(long)]
        program: Option<PathBuf>,
    },
    /// Deliveries at a steady rate, sent again and again for a number of groups.
    Intake(intake::Load),
    /// One delivery of very many alerts, of one case and over many.
    Storm(storm::Storm),
    /// One busy session, in turns without and with readers of its stream; and what readers cost that never read.
    Sse(sse::Load),
    /// The readers of `sse`, in a process of their own.
    #[command(hide = true)]
    Crowd(crowd::Orders),
}

#[tokio::main]
async fn main() -> Result<()> {
    match Bench::parse().what {
        What::W1 { output, parked, turns } => w1(output, parked, turns).await,
        What::Growth { turns } => {
            println!("{:#}", growth::growth(&turns).await?);
            Ok(())
        }
        What::Recovery { resting, running, program } => {
            let program = program.map_or_else(beside, Ok)?;
            let herd = Herd { closed: resting - resting / 2, parked: resting / 2, running };
            println!("{:#}", recovery(program, herd, |what| eprintln!("{what}")).await);
            Ok(())
        }
        What::Intake(load) => {
            println!("{:#}", intake::intake(load).await?);
            Ok(())
        }
        What::Storm(storm) => {
            println!("{:#}", storm::storm(storm).await?);
            Ok(())
        }
        What::Sse(load) => {
            println!("{:#}", sse::sse(load).await?);
            Ok(())
        }
        What::Crowd(orders) => crowd::attend(orders).await,
    }
}

/// The program built together with this one.
fn beside() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    Ok(own.with_file_name(format!("provost{}", std::env::consts::EXE_SUFFIX)))
}

async fn w1(output: Form, parked: u32, turns: u32) -> Result<()> {
    let mut figures = json!({"fdatasync_us": machine::fdatasync_probe()?});
    let mut add = |name: &str, value: Value| {
        if output != Form::Json {
            println!("{name:<18} {value}");
        }
        if let Some(figures) = figures.as_object_mut() {
            figures.insert(name.to_owned(), value);
        }
    };
    for (at_once, sessions) in [(1, 400), (16, 3_000), (256, 6_000)] {
        add(&format!("sqlite_{at_once}"), run::throughput(run::Kind::Sqlite, at_once, sessions).await?);
    }
    add("memory_256", run::throughput(run::Kind::Memory, 256, 10_000).await?);
    add("cold_start_ms", run::cold_start().await?);
    add("busy_lock_ns", run::busy_lock());
    add("growth", growth::session(turns).await?);
    add("parked", run::parked(parked).await?);
    if output == Form::Json {
        println!("{figures}");
    }
    Ok(())
}
