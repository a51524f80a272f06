//! Looking at a place for a database, before anybody takes it. Changes nothing and takes no lock.

use std::path::Path;

use provost_domain::port::StoreError;
use rustix::fs::{Access, access};
use sqlx::{ConnectOptions as _, Connection as _};

use super::error::unreadable_at;
use super::{ahead, place, schema, settings};
use crate::options::StorePlace;

/// What somebody would find who opened it for writing.
///
/// # Errors
/// Opening would fail.
pub(crate) async fn look(path: &Path) -> Result<StorePlace, StoreError> {
    let Some(path) = place::look(path)? else { return Ok(StorePlace::Empty) };
    if let Some(detail) = place::holder(&path) {
        return Ok(StorePlace::Held { detail });
    }
    if let Err(error) = access(&path, Access::READ_OK | Access::WRITE_OK) {
        return Err(place::unusable(&path)(error.into()));
    }
    ahead::check_unlocked(&path)?;
    let failed = |error| unreadable_at(&path, &error);
    let mut probe = settings::options(&path).read_only(true).connect().await.map_err(failed)?;
    let version = schema::version(&mut probe, &path).await;
    probe.close().await.map_err(failed)?;
    Ok(match version? {
        0 => StorePlace::Empty,
        version if schema::is_current(version) => StorePlace::Current,
        version => StorePlace::Older { version },
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::sqlite::SqliteStore;

    #[tokio::test]
    async fn a_look_tells_what_opening_would_and_leaves_all_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/p.db");
        assert_eq!(look(&path).await, Ok(StorePlace::Empty));
        assert!(!folder.path().join("new").exists());

        let store = SqliteStore::open(&path).await.unwrap();
        assert!(matches!(look(&path).await, Ok(StorePlace::Held { .. })), "it is held by this process");
        store.close().await;
        assert_eq!(look(&path).await, Ok(StorePlace::Current));
        SqliteStore::open(&path).await.unwrap().close().await;

        fs::remove_file(&path).unwrap();
        assert!(look(&path).await.unwrap_err().to_string().contains("says that a store was there"));
        fs::write(&path, "not a database of anybody, but long enough to have a header".repeat(100)).unwrap();
        assert!(look(&path).await.unwrap_err().is_damage());
        assert!(look(folder.path()).await.unwrap_err().to_string().contains("is a folder"));
        assert!(look(&path.join("below/a/file.db")).await.unwrap_err().to_string().contains("is not a folder"));
    }
}
