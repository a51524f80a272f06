//! `provost packs test`.

use std::process::ExitCode;

use anyhow::Result;
use provost_face::VisibleText;
use provost_scenarios::{PackPlace, Playback, Suite, SuiteResult, junit};
use serde_json::{Value, json};

use super::folders::PackFolders;
use crate::args::PackArgs;
use crate::output::{BAD, DIM, GOOD, NOTE, Output};

pub(super) async fn run(args: &PackArgs, output: Output) -> Result<ExitCode> {
    let folders = PackFolders::of(args)?;
    let suites = folders.folders.iter().map(|folder| folders.suite(folder, output)).collect::<Result<Vec<Suite>>>()?;
    let mut results = Vec::new();
    for suite in suites {
        // Each scenario has a runtime of its own, whose time is virtual.
        let result = tokio::task::spawn_blocking(move || suite.play()).await?;
        told(&result, output);
        results.push(result);
    }
    if output.is_junit() {
        Output::document(&junit(&results));
    }
    output.json(&json!({"packs": results.iter().map(shown).collect::<Vec<_>>()}));
    Ok(if results.iter().all(SuiteResult::passed) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The result for people.
fn told(result: &SuiteResult, output: Output) {
    for playback in &result.playbacks {
        let lasted = humantime::format_duration(std::time::Duration::from_secs(playback.lasted.as_secs()));
        let Playback { name, .. } = playback;
        let Some(difference) = &playback.difference else {
            output.line(&format!("{GOOD}✓{GOOD:#} {}: {name} {DIM}({lasted}){DIM:#}", result.pack));
            continue;
        };
        let difference = VisibleText::new(difference.to_string()).hanging("  ");
        output.line(&format!("{BAD}✗{BAD:#} {}: {name} {DIM}({lasted}){DIM:#}\n  {difference}", result.pack));
        for line in &playback.story {
            output.line(&format!("  {DIM}{line}{DIM:#}"));
        }
    }
    let failed = result.playbacks.iter().filter(|playback| playback.difference.is_some()).count();
    output.line(&format!("{}: {} scenarios, {failed} failed", result.pack, result.playbacks.len()));
    if !result.missing.is_empty() {
        output.line(&format!("{NOTE}no scenario reached:{NOTE:#}"));
    }
    for place in &result.missing {
        output.line(&format!("  {place}"));
    }
}

/// The result for programs.
fn shown(result: &SuiteResult) -> Value {
    let scenario = |playback: &Playback| {
        let difference = playback.difference.as_ref().map(|difference| {
            json!({"file": difference.file, "line": difference.line, "column": difference.column,
                "message": difference.message, "hint": difference.hint})
        });
        json!({"scenario": playback.name, "file": playback.file, "passed": difference.is_none(),
            "difference": difference, "virtual_seconds": playback.lasted.as_secs_f64(), "story": playback.story})
    };
    let missing = |place: &PackPlace| json!({"kind": place.kind(), "what": place.to_string()});
    json!({
        "pack": result.pack, "passed": result.passed(),
        "scenarios": result.playbacks.iter().map(scenario).collect::<Vec<_>>(),
        "not_reached": result.missing.iter().map(missing).collect::<Vec<_>>(),
    })
}
