//! A copy of the whole database as one moment of it was, made by SQLite itself beside whoever writes.

use std::path::Path;

use provost_domain::port::StoreError;
use sqlx::{ConnectOptions as _, Connection as _};

use super::error::failed_at;
use super::settings::options;
use super::{ahead, place, schema};

const COPY: &str = "VACUUM INTO ?1";

/// Copies the database at `path` into the empty file `to`, without its lock and without keeping anybody from it.
///
/// # Errors
/// The database cannot be opened for reading; or `to` is not empty, cannot be written, or its name is not Unicode.
pub(super) async fn copy(path: &Path, to: &Path) -> Result<(), StoreError> {
    place::require_file(path)?;
    ahead::check_unlocked(path)?;
    let target = std::path::absolute(to).ok();
    let Some(target) = target.as_deref().and_then(Path::to_str) else {
        let detail = format!("{} cannot be named to SQLite; name a file in plain letters", to.display());
        return Err(StoreError::Failed { detail });
    };
    let failed = |error| failed_at(path, &error);
    // Not `query_only`, which would refuse to write the copy; the file itself is opened for reading.
    let mut connection = options(path).read_only(true).connect().await.map_err(failed)?;
    schema::require_current(&mut connection, path).await?;
    let copied = sqlx::query(COPY).bind(target).execute(&mut connection).await;
    copied.map_err(|error| failed_at(to, &error))?;
    connection.close().await.map_err(failed)
}
