//! `cargo xtask bench w1`: the workload of an operational session without model latency; `bench intake`: deliveries over HTTP
//! at a steady rate; `bench sse`: one busy session with and without readers of its stream. A benchmark, never a test: compare ratios within one run.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod crowd;
mod face;
mod intake;
mod machine;
mod parts;
mod run;
mod sse;

use anyhow::Result;
use clap::{Parser, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Parser)]
struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Four agents in sequence, two tools each.
    W1 {
        /// How results are printed: `text` or `json`.
        #[arg(long, default_value = "text")]
        output: String,
        /// Parked sessions whose memory is measured.
        #[arg(long, default_value_t = 10_000)]
        parked: u32,
        /// Turns of the growth measurement.
        #[arg(long, default_value_t = 500)]
        turns: u32,
    },
    /// Deliveries at a steady rate, sent again and again for a number of groups.
    Intake(intake::Load),
    /// One busy session, in turns without and with readers of its stream; and what readers cost that never read.
    Sse(sse::Load),
    /// The readers of `sse`, in a process of their own.
    #[command(hide = true)]
    Crowd(crowd::Orders),
}

#[tokio::main]
async fn main() -> Result<()> {
    match Bench::parse().what {
        What::W1 { output, parked, turns } => w1(&output, parked, turns).await,
        What::Intake(load) => {
            println!("{:#}", intake::intake(load).await?);
            Ok(())
        }
        What::Sse(load) => {
            println!("{:#}", sse::sse(load).await?);
            Ok(())
        }
        What::Crowd(orders) => crowd::attend(orders).await,
    }
}

async fn w1(output: &str, parked: u32, turns: u32) -> Result<()> {
    let mut figures = json!({"fdatasync_us": machine::fdatasync_probe()?});
    let mut add = |name: &str, value: Value| {
        if output != "json" {
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
    add("growth", run::growth(turns).await?);
    add("parked", run::parked(parked).await?);
    if output == "json" {
        println!("{figures}");
    }
    Ok(())
}
