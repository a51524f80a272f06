//! `provost packs check` and `provost config check`.

use std::process::ExitCode;

use anyhow::Result;
use serde_json::{Value, json};

use crate::args::{Config, Packs};
use crate::output::Output;
use crate::wiring::{self, PackSet};

pub(super) fn packs(command: &Packs, output: Output) -> Result<ExitCode> {
    let Packs::Check(args) = command;
    let packs: Vec<Value> = PackSet::load(&wiring::config_of_file(args)?)?
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

pub(super) fn config(command: &Config, output: Output) -> Result<ExitCode> {
    let Config::Check(args) = command;
    let config = wiring::config(args)?;
    drop(PackSet::load(&config)?);
    drop(wiring::models(&config)?);
    let value = json!({
        "config": args.file.config, "store": config.store.to_string(), "packs": config.packs,
        "models": config.models.keys().collect::<Vec<_>>(), "ok": true,
    });
    output.result(&value, &format!("{} is fine: store {}", args.file.config.display(), config.store));
    Ok(ExitCode::SUCCESS)
}
