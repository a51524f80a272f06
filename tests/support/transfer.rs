//! Bringing sessions from and to files, and reading and changing databases behind the program's back.

use std::path::Path;

use provost_domain::ids::{Principal, SessionId};
use provost_domain::time::Timestamp;
use provost_store::{Importer, SqliteReads};
use sqlx::{AssertSqlSafe, Connection as _};

/// Who imports in tests.
pub fn importer() -> Importer {
    Importer { by: Principal::new("user:importer"), now: Timestamp::from_micros(1_800_000_000_000_000), salt: [9; 16] }
}

/// A session's file.
pub async fn exported(reads: &SqliteReads, session: SessionId) -> Vec<u8> {
    let mut file = Vec::new();
    reads.export(session, &mut file).await.unwrap();
    file
}

/// Runs SQL on a database, as another program would.
pub async fn raw(path: &Path, sql: &str) {
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// The one text that a query gives.
pub async fn text(path: &Path, sql: &str) -> String {
    let mut connection = sqlx::SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let text = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    text
}
