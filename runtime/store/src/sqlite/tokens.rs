//! Access tokens. Few and seldom written: one statement each.

use provost_domain::access::Token;
use provost_domain::ids::TokenId;
use provost_domain::port::StoreError;
use provost_domain::principal::Principal;
use provost_domain::time::Timestamp;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::rows::Columns;
use super::statement::Statement;

pub(super) const MINT: &str = "INSERT INTO tokens (id, name, role, digest, created_by, created_at, expires_at) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
pub(super) const REVOKE: &str = "UPDATE tokens SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
pub(super) const USED: &str = "UPDATE tokens SET used_at = max(coalesce(used_at, 0), ?2) WHERE id = ?1";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, role, digest, created_by, created_at, expires_at, used_at, revoked_at FROM tokens ",
            $rest
        )
    };
}
pub(super) const SELECT: &str = select!("WHERE id = ?1");
pub(super) const LIST: &str = select!("ORDER BY created_at DESC, id");

pub(super) fn mint(token: &Token) -> Statement {
    Statement::new(MINT)
        .text(token.id.as_str())
        .text(&token.name)
        .text(token.role.as_str())
        .bytes(token.digest.as_bytes())
        .text(&token.created_by.to_string())
        .number(token.created_at.micros())
        .maybe(token.expires_at.map(Timestamp::micros))
}

pub(super) fn revoke(id: &TokenId, at: Timestamp) -> Statement {
    Statement::new(REVOKE).text(id.as_str()).number(at.micros())
}

pub(super) fn used(id: &TokenId, at: Timestamp) -> Statement {
    Statement::new(USED).text(id.as_str()).number(at.micros())
}

pub(super) async fn read(pool: &SqlitePool, id: &TokenId) -> Result<Option<Token>, StoreError> {
    let row = sqlx::query(SELECT).bind(id.as_str()).fetch_optional(pool).await.map_err(|error| failed(&error))?;
    row.as_ref().map(decode).transpose()
}

pub(super) async fn list(pool: &SqlitePool) -> Result<Vec<Token>, StoreError> {
    let rows = sqlx::query(LIST).fetch_all(pool).await.map_err(|error| failed(&error))?;
    rows.iter().map(decode).collect()
}

pub(super) fn decode(row: &SqliteRow) -> Result<Token, StoreError> {
    let mut columns = Columns::of("tokens", row);
    let id = TokenId::new(columns.get::<String>()?);
    let name = columns.get()?;
    let role: &str = columns.get()?;
    Ok(Token {
        id,
        name,
        role: role.parse().map_err(|error| columns.wrong(&error))?,
        digest: columns.digest()?,
        created_by: Principal::parse(columns.get()?),
        created_at: columns.time()?,
        expires_at: columns.maybe_time()?,
        used_at: columns.maybe_time()?,
        revoked_at: columns.maybe_time()?,
    })
}
