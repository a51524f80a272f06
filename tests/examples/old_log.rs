//! Prints a session's file whose log holds every kind of event, as this version writes it, or with `snapshot` what that log
//! folds to:
//!
//! ```sh
//! cargo run -p provost-tests --example old_log > tests/fixtures/log/vN/every-kind.session
//! cargo run -p provost-tests --example old_log snapshot > tests/fixtures/log/vN/every-kind.json
//! ```
//!
//! For a new version's folder: a log that is kept there already is never written again.

use std::io::{Write as _, stdout};

use anyhow::Result;
use provost_tests::every_kind;

#[tokio::main]
async fn main() -> Result<()> {
    if std::env::args().nth(1).as_deref() == Some("snapshot") {
        let header: serde_json::Value = serde_json::from_slice(&every_kind::folded().to_snapshot())?;
        writeln!(stdout(), "{header:#}")?;
        return Ok(());
    }
    let (reads, session) = every_kind::stored().await;
    reads.export(session, &mut stdout()).await?;
    Ok(())
}
