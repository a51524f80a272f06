//! People's logins at the page. Few and seldom written.

use provost_domain::ids::{Digest, TokenId};
use provost_domain::port::{PageSession, StoreError};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::error::failed;
use super::rows::Columns;
use super::statement::Statement;

pub(super) const FORGET: &str = "DELETE FROM page_sessions WHERE expires_at <= ?1";
pub(super) const BEGIN: &str =
    "INSERT INTO page_sessions (digest, token, begun_at, expires_at) VALUES (?1, ?2, ?3, ?4)";
pub(super) const END: &str = "DELETE FROM page_sessions WHERE digest = ?1";
pub(super) const SELECT: &str = "SELECT token, begun_at, expires_at FROM page_sessions WHERE digest = ?1";

/// Forgets what expired, and stores the login.
pub(super) fn begin(session: &PageSession) -> Vec<Statement> {
    let forget = Statement::new(FORGET).number(session.begun_at.micros());
    let begin = Statement::new(BEGIN)
        .bytes(session.digest.as_bytes())
        .text(session.token.as_str())
        .number(session.begun_at.micros())
        .number(session.expires_at.micros());
    vec![forget, begin]
}

pub(super) fn end(digest: Digest) -> Statement {
    Statement::new(END).bytes(digest.as_bytes())
}

pub(super) async fn read(pool: &SqlitePool, digest: Digest) -> Result<Option<PageSession>, StoreError> {
    let query = sqlx::query(SELECT).bind(digest.as_bytes().to_vec());
    let row = query.fetch_optional(pool).await.map_err(|error| failed(&error))?;
    row.map(|row| decode(digest, &row)).transpose()
}

fn decode(digest: Digest, row: &SqliteRow) -> Result<PageSession, StoreError> {
    let mut columns = Columns::of("page_sessions", row);
    let token = TokenId::new(columns.get::<String>()?);
    Ok(PageSession { digest, token, begun_at: columns.time()?, expires_at: columns.time()? })
}
