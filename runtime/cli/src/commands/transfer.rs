//! `provost sessions export` and `import`: one session as a file, to keep it or to look at it elsewhere.

use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use provost_domain::port::Clock as _;
use provost_engine::SystemClock;
use provost_store::{Importer, SessionFile, TransferError};
use serde_json::json;

use crate::args::{AuthorArgs, One, StoreArgs};
use crate::fresh::Fresh;
use crate::output::Output;
use crate::wiring;

/// Writes the file, which gets its name once it is whole. Works beside a daemon.
pub(super) async fn export(one: &One<StoreArgs>, to: &Path, output: Output) -> Result<ExitCode> {
    let reads = wiring::reads(&wiring::config(&one.config)?).await?;
    let id = wiring::session(&*reads.sessions, &one.session).await?;
    let (fresh, file) = Fresh::create(to)?;
    let mut writer = BufWriter::new(file);
    let row = provost_store::export(&*reads.examine, id, &mut writer).await?;
    let bytes = writer.into_inner().context("writing the file")?.metadata()?.len();
    fresh.publish()?;
    let value = json!({
        "file": to.display().to_string(), "bytes": bytes, "session": id, "handle": row.handle, "status": row.status.as_str(),
        "events": row.head_seq,
    });
    output.result(&value, &format!("{}: {}, {} events, {bytes} bytes", to.display(), row.handle, row.head_seq));
    Ok(ExitCode::SUCCESS)
}

/// Reads a file into the store, which this process must hold alone.
pub(super) async fn import(from: &Path, config: &StoreArgs, author: &AuthorArgs, output: Output) -> Result<ExitCode> {
    let settings = wiring::config(config)?;
    let place = || from.display().to_string();
    let file = std::fs::File::open(from).with_context(|| format!("{} cannot be opened; check the path", place()))?;
    let who = Importer { by: author.principal(), now: SystemClock.now(), salt: *uuid::Uuid::new_v4().as_bytes() };
    let placed = |error| match error {
        TransferError::File { .. } | TransferError::Io(_) => anyhow::Error::new(error).context(place()),
        TransferError::Session { .. } | TransferError::Store(_) => error.into(),
    };
    let session = SessionFile::read(&mut BufReader::new(file), &who).map_err(placed)?;
    let store = wiring::store(&settings).await?;
    let imported = session.import(&*store.imports).await;
    store.close().await;
    let imported = imported.map_err(placed)?;
    let value = json!({
        "session": imported.session, "handle": imported.handle, "status": imported.status.as_str(), "was": imported.was.as_str(),
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
