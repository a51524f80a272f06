//! `provost packs check`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::args::Packs;
use crate::output::Output;
use crate::wiring::{self, PackSet};

pub(super) fn run(command: &Packs, output: Output) -> Result<ExitCode> {
    let Packs::Check(args) = command;
    let loaded = PackSet::load(&wiring::config_of_file(args)?)?;
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let packs: Vec<Value> = loaded
        .present()
        .map(|pack| {
            json!({
                "pack": pack.name, "version": pack.version, "digest": pack.digest,
                "agents": pack.agents.keys().collect::<Vec<_>>(),
                "terminal_tools": pack.terminal_tools.keys().collect::<Vec<_>>(),
            })
        })
        .collect();
    output.table(&packs, &["pack", "version", "agents", "terminal_tools"], "no packs are configured");
    Ok(ExitCode::SUCCESS)
}
