//! Prints a session's file whose log holds every kind of event, as this version writes it, or with `snapshot` what that log
//! folds to, or with `fold FILE` what a kept file folds to now:
//!
//! ```sh
//! cargo run -p provost-tests --example old_log > tests/fixtures/log/vN/every-kind.session
//! cargo run -p provost-tests --example old_log snapshot > tests/fixtures/log/vN/every-kind.json
//! cargo run -p provost-tests --example old_log fold tests/fixtures/log/v1/every-kind.session > tests/fixtures/log/v1/every-kind.json
//! ```
//!
//! For a new version's folder: a log that is kept there already is never written again. What it folds to is written again
//! where the form of a session changed on purpose.

use std::fs::File;
use std::io::{BufReader, Write as _, stdout};

use anyhow::{Context as _, Result, bail};
use provost_domain::session::Session;
use provost_store::SqliteStore;
use provost_tests::{every_kind, transfer};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {
            let (reads, session) = every_kind::stored().await;
            provost_store::export(&reads, session, &mut stdout()).await?;
            Ok(())
        }
        ["snapshot"] => print(&every_kind::folded()),
        ["fold", kept] => print(&fold(kept).await?),
        _ => bail!("write nothing, `snapshot`, or `fold FILE`"),
    }
}

fn print(session: &Session) -> Result<()> {
    let header: serde_json::Value = serde_json::from_slice(&session.to_snapshot()?)?;
    Ok(writeln!(stdout(), "{header:#}")?)
}

/// What a kept file's log folds to.
async fn fold(kept: &str) -> Result<Session> {
    let folder = tempfile::tempdir()?;
    let store = folder.path().join("provost.db");
    let mut file = BufReader::new(File::open(kept).with_context(|| kept.to_owned())?);
    let imported = transfer::import(&store, &mut file).await?;
    let reads = SqliteStore::open_read_only(&store).await?;
    Ok(transfer::folded(&reads, imported.session).await)
}
