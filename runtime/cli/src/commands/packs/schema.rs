//! `provost packs schema`.

use std::process::ExitCode;

use anyhow::Result;
use provost_packs::{agent_schema, pack_schema};
use provost_scenarios::scenario_schema;

use crate::args::PackFileKind;
use crate::output::Output;

/// Prints the schema, also without `--output json`: it is nothing else.
pub(super) fn run(file: PackFileKind) -> Result<ExitCode> {
    let schema = match file {
        PackFileKind::Pack => pack_schema(),
        PackFileKind::Agent => agent_schema(),
        PackFileKind::Scenario => scenario_schema(),
    };
    Output::document(&format!("{}\n", serde_json::to_string_pretty(&schema)?));
    Ok(ExitCode::SUCCESS)
}
