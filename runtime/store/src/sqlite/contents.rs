//! Large results, stored once by their hash.

use provost_domain::ids::Digest;
use provost_domain::port::StoreError;
use provost_domain::tool::Content;
use sqlx::SqliteExecutor;

use super::append::Held;
use super::bulk::Bulk;
use super::error::{damaged, failed};
use super::rows::Columns;
use super::tx::{Then, Tx};

pub(super) static INSERT: Bulk = Bulk::new(
    "INSERT OR IGNORE INTO contents (sha256, bytes) SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL",
    2,
);
pub(super) const SELECT: &str = "SELECT bytes FROM contents WHERE sha256 = ?1";

pub(super) async fn write(tx: &mut Tx<'_>, held: &[Held<'_>]) -> Result<(), sqlx::Error> {
    let contents: Vec<&Content> = held.iter().flat_map(|held| &held.append.contents).collect();
    let bind = tx.run(&INSERT, &contents, Then::More, |values, content| {
        values.add(content.digest.as_bytes().to_vec()).add(content.bytes.as_slice());
    });
    bind.await.map(drop)
}

pub(super) async fn read(database: impl SqliteExecutor<'_>, digest: Digest) -> Result<Vec<u8>, StoreError> {
    let query = sqlx::query(SELECT).bind(digest.as_bytes().to_vec());
    let row = query.fetch_optional(database).await.map_err(|error| failed(&error))?;
    let row = row.ok_or_else(|| StoreError::Missing { what: "content", id: digest.hex() })?;
    let bytes: Vec<u8> = Columns::of("contents", &row).get()?;
    if Digest::of(&bytes) != digest {
        return Err(damaged(format!("table contents, row {digest}: its bytes have another hash")));
    }
    Ok(bytes)
}
