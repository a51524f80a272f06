//! One statement for many rows: the driver hands each statement to a thread and back, so their number is what costs.

use std::sync::{Arc, OnceLock};

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type};

use super::rows::Sid;

/// Rows per statement: few sizes, so that each stays prepared. Rows that are not bound are NULL, and every statement
/// skips those.
pub(super) const SIZES: [usize; 5] = [1, 4, 16, 64, LARGEST];
const LARGEST: usize = 256;

/// A statement with `{rows}` where its rows of values go, as `(VALUES {rows})`.
#[derive(Debug)]
pub(super) struct Bulk {
    text: &'static str,
    width: usize,
    sql: [OnceLock<Arc<str>>; SIZES.len()],
}

impl Bulk {
    /// `width` is the number of values per row.
    pub(super) const fn new(text: &'static str, width: usize) -> Self {
        Self { text, width, sql: [const { OnceLock::new() }; SIZES.len()] }
    }

    /// Runs it over all items and returns what `RETURNING` or the query gave. `bind` adds exactly one row's values.
    pub(super) async fn run<T: Sync>(
        &self,
        connection: &mut SqliteConnection,
        items: &[T],
        bind: impl Fn(&mut Values, &T) + Send,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut found = Vec::new();
        for (part, index) in chunks(items) {
            let mut values = Values::default();
            values.arguments.reserve(part.len() * self.width, 0);
            for item in part {
                bind(&mut values, item);
            }
            let query = sqlx::query_with(AssertSqlSafe(self.sql(index)), values.finish(part.len() * self.width)?);
            let rows = query.fetch_all(&mut *connection).await?;
            if found.is_empty() {
                found = rows;
            } else {
                found.extend(rows);
            }
        }
        Ok(found)
    }

    /// Runs a statement that takes one number per row.
    pub(super) async fn over(
        &self,
        connection: &mut SqliteConnection,
        sids: &[Sid],
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let bind = |values: &mut Values, sid: &Sid| {
            values.add(*sid);
        };
        self.run(connection, sids, bind).await
    }

    /// The statement's text for the size at `index`.
    pub(super) fn sql(&self, index: usize) -> Arc<str> {
        let build = || {
            let row = format!("({})", vec!["?"; self.width].join(","));
            let count = SIZES.get(index).copied().unwrap_or(1);
            Arc::from(self.text.replace("{rows}", &vec![row; count].join(",")))
        };
        self.sql.get(index).map_or_else(build, |cell| Arc::clone(cell.get_or_init(build)))
    }
}

/// Parts of at most the largest size, each with the index of the smallest size it fits.
fn chunks<T>(items: &[T]) -> impl Iterator<Item = (&[T], usize)> {
    items.chunks(LARGEST).map(|part| (part, SIZES.partition_point(|size| *size < part.len())))
}

/// The values of a statement, in order.
#[derive(Debug, Default)]
pub(super) struct Values {
    arguments: SqliteArguments,
    error: Option<sqlx::error::BoxDynError>,
}

impl Values {
    /// Adds one value.
    pub(super) fn add<'v, T>(&mut self, value: T) -> &mut Self
    where
        T: Encode<'v, Sqlite> + Type<Sqlite>,
    {
        if let Err(error) = self.arguments.add(value) {
            self.error.get_or_insert(error);
        }
        self
    }

    /// Adds a counter. Counters stay far below `i64::MAX`; one beyond it would match no row.
    pub(super) fn count(&mut self, value: u64) -> &mut Self {
        self.add(i64::try_from(value).unwrap_or(i64::MAX))
    }

    fn finish(self, expected: usize) -> Result<SqliteArguments, sqlx::Error> {
        match self.error {
            Some(error) => Err(sqlx::Error::Encode(error)),
            None if self.arguments.len() != expected => {
                Err(sqlx::Error::Protocol(format!("{} values bound where {expected} are named", self.arguments.len())))
            }
            None => Ok(self.arguments),
        }
    }
}
