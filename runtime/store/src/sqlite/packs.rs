//! Packs as their files. Few and seldom written: one statement each.

use std::fmt::Display;

use provost_domain::ids::PackName;
use provost_domain::pack::PackFiles;
use provost_domain::port::{KeptPack, StoreError};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::error::{damaged, failed};
use super::rows::Columns;
use super::statement::Statement;

pub(super) const KEEP: &str =
    "INSERT INTO packs (digest, name, files) VALUES (?1, ?2, ?3) ON CONFLICT (digest) DO NOTHING";
/// Its condition is that of the index, word for word.
pub(super) const NEEDED: &str = "SELECT digest, name, files FROM packs WHERE EXISTS (SELECT 1 FROM sessions \
     WHERE pack_digest = packs.digest AND (ended = 0 OR status IN ('needs_review', 'error')))";

pub(super) fn keep(pack: &KeptPack) -> Result<Statement, StoreError> {
    let files = serde_json::to_string(&pack.files)
        .map_err(|error| damaged(format!("pack `{}` cannot be encoded: {error}", pack.name)))?;
    Ok(Statement::new(KEEP).bytes(pack.digest.as_bytes()).text(pack.name.as_str()).text(&files))
}

pub(super) async fn needed(pool: &SqlitePool) -> Result<Vec<Result<KeptPack, StoreError>>, StoreError> {
    let rows = sqlx::query(NEEDED).fetch_all(pool).await.map_err(|error| failed(&error))?;
    Ok(rows.iter().map(decode).collect())
}

pub(super) fn decode(row: &SqliteRow) -> Result<KeptPack, StoreError> {
    let mut columns = Columns::of("packs", row);
    let (digest, name) = (columns.digest()?, PackName::new(columns.get::<String>()?));
    let wrong = |error: &dyn Display| damaged(format!("table packs, files of {name}@{}: {error}", digest.hex()));
    let files: PackFiles = serde_json::from_str(columns.get()?).map_err(|error| wrong(&error))?;
    if files.digest() != digest {
        return Err(wrong(&"they are not those that were kept"));
    }
    Ok(KeptPack { digest, name, files })
}
