//! `provost backup`: a copy of the store as one moment of it was, while whoever holds it works on.

use std::process::ExitCode;

use anyhow::Result;
use provost_store::StoreUrl;
use serde_json::json;

use super::audit;
use crate::args::BackupArgs;
use crate::fresh::Fresh;
use crate::output::{BAD, GOOD, Output};
use crate::progress::Progress;
use crate::wiring;

/// The exit code of a copy that was made of a store with problems.
const PROBLEMS: u8 = 5;

/// Copies, verifies the copy, and only then gives it its name. A copy of a damaged store is kept, and said to be one.
pub(super) async fn run(args: BackupArgs, output: Output) -> Result<ExitCode> {
    let reads = wiring::reads(&wiring::config(&args.config)?).await?;
    let (fresh, file) = Fresh::create(&args.to)?;
    let copying = Progress::waiting("copying the store");
    reads.backup.back_up(fresh.partial()).await?;
    drop(copying);
    let found = audit::verify(&StoreUrl::from(fresh.partial()), output).await?;
    let bytes = file.metadata()?.len();
    fresh.publish()?;
    let (to, problems, sessions) = (args.to.display(), found.problems, found.sessions);
    let verdict = match problems {
        0 => format!("{GOOD}clean{GOOD:#}"),
        _ => format!(
            "the copy was made, with {BAD}{problems} problems{BAD:#} that the store has too: verify it, and keep older backups"
        ),
    };
    output.result(
        &json!({"file": to.to_string(), "bytes": bytes, "sessions": sessions, "problems": problems}),
        &format!("{to}: {bytes} bytes, {sessions} sessions: {verdict}"),
    );
    Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::from(PROBLEMS) })
}
