//! `provost sessions export` and `import`: one session as a file, to keep it or to look at it elsewhere.

use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use provost_domain::port::Clock as _;
use provost_engine::SystemClock;
use provost_store::{Importer, SqliteStore, TransferError};
use serde_json::json;

use super::principal;
use crate::args::{ConfigArgs, One};
use crate::fresh::Fresh;
use crate::output::Output;
use crate::wiring;

/// Writes the file, which gets its name once it is whole. Works beside a daemon.
pub(super) async fn export(one: &One, to: &Path, output: Output) -> Result<ExitCode> {
    let reads = wiring::reads(&wiring::config(&one.config)?).await?;
    let id = wiring::session(&reads, &one.session).await?;
    let (fresh, file) = Fresh::create(to)?;
    let mut writer = BufWriter::new(file);
    let row = reads.export(id, &mut writer).await?;
    let bytes = writer.into_inner().context("writing the file")?.metadata()?.len();
    fresh.publish()?;
    let value = json!({
        "file": to.display().to_string(), "bytes": bytes, "session": id, "handle": row.handle, "status": row.status,
        "events": row.head_seq,
    });
    output.result(&value, &format!("{}: {}, {} events, {bytes} bytes", to.display(), row.handle, row.head_seq));
    Ok(ExitCode::SUCCESS)
}

/// Reads a file into the store, which this process must hold alone.
pub(super) async fn import(from: &Path, config: &ConfigArgs, output: Output) -> Result<ExitCode> {
    let store = wiring::config(config)?.store_path();
    let place = || from.display().to_string();
    let file = std::fs::File::open(from).with_context(|| format!("{} cannot be opened; check the path", place()))?;
    let who = Importer { by: principal(config), now: SystemClock.now(), salt: *uuid::Uuid::new_v4().as_bytes() };
    let imported = SqliteStore::import(&store, &mut BufReader::new(file), &who).await;
    let imported = imported.map_err(|error| match error {
        TransferError::File { .. } | TransferError::Io(_) => anyhow::Error::new(error).context(place()),
        TransferError::Session { .. } | TransferError::Store(_) => error.into(),
    })?;
    let value = json!({
        "session": imported.session, "handle": imported.handle, "status": imported.status, "was": imported.was,
        "records": imported.records,
    });
    let became = if imported.status == imported.was {
        String::new()
    } else {
        format!(" (it was {}: make sure that it has ended where it came from)", imported.was)
    };
    output.result(&value, &format!("{} is {}{became}", imported.handle, imported.status));
    Ok(ExitCode::SUCCESS)
}
