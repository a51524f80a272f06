//! Large results, stored once by their hash.

use provost_domain::ids::Digest;
use provost_domain::port::StoreError;
use provost_domain::tool::Content;
use sqlx::SqliteExecutor;

use super::bulk::Bulk;
use super::error::{damaged, failed};
use super::held::Held;
use super::rows::{Columns, Sid};
use super::tx::{Then, Tx};

pub(super) static INSERT: Bulk = Bulk::new(
    "INSERT OR IGNORE INTO contents (sha256, bytes) SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL",
    2,
);
/// Who refers to a content, also one that was there already.
pub(super) static REFER: Bulk = Bulk::new(
    "INSERT OR IGNORE INTO content_refs (sha256, sid) SELECT * FROM (VALUES {rows}) WHERE column1 IS NOT NULL",
    2,
);
pub(super) const SELECT: &str = "SELECT bytes FROM contents WHERE sha256 = ?1";

pub(super) async fn write(tx: &mut Tx<'_>, held: &[Held<'_>]) -> Result<(), sqlx::Error> {
    let contents: Vec<(Sid, &Content)> =
        held.iter().flat_map(|held| held.append.contents.iter().map(|content| (held.sid, content))).collect();
    let insert = tx.run(&INSERT, &contents, Then::More, |values, (_, content)| {
        values.add(content.digest.as_bytes().to_vec()).add(content.bytes.as_slice());
    });
    insert.await?;
    let refer = tx.run(&REFER, &contents, Then::More, |values, (sid, content)| {
        values.add(content.digest.as_bytes().to_vec()).add(*sid);
    });
    refer.await.map(drop)
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
