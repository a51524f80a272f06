//! Bringing sessions from and to files, and reading and changing databases behind the program's back.

use std::io::BufRead;
use std::path::Path;

use provost_domain::ids::SessionId;
use provost_domain::principal::Principal;
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_store::{Imported, Importer, SessionFile, SqliteReads, SqliteStore, TransferError};
use sqlx::{AssertSqlSafe, Connection as _};

/// Who imports in tests.
pub fn importer() -> Importer {
    Importer { by: Principal::user("importer"), now: Timestamp::from_micros(1_800_000_000_000_000), salt: [9; 16] }
}

/// A session's file.
pub async fn exported(reads: &SqliteReads, session: SessionId) -> Vec<u8> {
    let mut file = Vec::new();
    provost_store::export(reads, session, &mut file).await.unwrap();
    file
}

/// Reads a session's file into the database at `path`, which is made when absent.
pub async fn import(path: &Path, file: &mut (dyn BufRead + Send)) -> Result<Imported, TransferError> {
    let session = SessionFile::read(file, &importer())?;
    let store = SqliteStore::open(path).await?;
    let imported = session.import(&store).await;
    store.close().await;
    imported
}

/// What a session's log folds to.
pub async fn folded(reads: &SqliteReads, session: SessionId) -> Session {
    let events = crate::house::events(reads, session).await;
    Session::fold(&events).unwrap().unwrap()
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
