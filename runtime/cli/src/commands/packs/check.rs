//! `provost packs check`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use provost_domain::pack::Pack;
use provost_form::FormErrors;
use serde_json::{Value, json};

use super::folders::PackFolders;
use super::told::{Weight, tell};
use crate::args::PackArgs;
use crate::output::Output;
use crate::wiring::PackSet;

pub(super) fn run(args: &PackArgs, output: Output) -> Result<ExitCode> {
    let folders = PackFolders::of(args)?;
    let mut rows = Vec::new();
    // Of the configuration's packs the models are checked as well.
    if let Some(config) = folders.config.as_ref().filter(|_| args.packs.is_empty()) {
        match PackSet::load(config).map_err(anyhow::Error::downcast::<FormErrors>) {
            Ok(_) => {}
            Err(Ok(errors)) if output.is_text() => {
                tell(&errors.0, Weight::Error, output);
                bail!("{} error(s)", errors.0.len());
            }
            Err(Ok(errors)) => return Err(errors.into()),
            Err(Err(other)) => return Err(other),
        }
    }
    for folder in &folders.folders {
        let suite = folders.suite(folder, output)?;
        rows.push(row(suite.pack()));
    }
    output.table(&rows, &["pack", "version", "agents", "terminal_tools"], "no packs are configured");
    Ok(ExitCode::SUCCESS)
}

fn row(pack: &Pack) -> Value {
    json!({
        "pack": pack.name, "version": pack.version, "digest": pack.digest,
        "agents": pack.agents.keys().collect::<Vec<_>>(),
        "terminal_tools": pack.terminal_tools.keys().collect::<Vec<_>>(),
    })
}
