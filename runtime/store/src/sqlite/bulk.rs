//! One statement for many rows: the driver hands each statement to a thread and back, so their number is what costs.

use std::sync::{Arc, OnceLock};

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type};

use super::rows::Sid;
use super::tx::{BEGIN, COMMIT};

/// Rows per statement: few sizes, so that each stays prepared. Rows that are not bound are NULL, and every statement
/// skips those.
pub(super) const SIZES: [usize; 5] = [1, 4, 16, 64, LARGEST];
const LARGEST: usize = 256;

/// Where a statement stands in its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// Inside; it neither begins nor ends anything.
    Between,
    /// It begins the transaction.
    First,
    /// It ends the transaction.
    Last,
    /// It is the transaction.
    Alone,
}

/// A statement with `{rows}` where its rows of values go, as `(VALUES {rows})`.
#[derive(Debug)]
pub(super) struct Bulk {
    text: &'static str,
    width: usize,
    sql: [[OnceLock<Arc<str>>; SIZES.len()]; 3],
}

impl Bulk {
    /// `width` is the number of values per row.
    pub(super) const fn new(text: &'static str, width: usize) -> Self {
        Self { text, width, sql: [const { [const { OnceLock::new() }; SIZES.len()] }; 3] }
    }

    /// Runs a query over some numbers outside of any transaction of ours.
    pub(super) async fn read(
        &self,
        connection: &mut SqliteConnection,
        sids: &[Sid],
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut found = Vec::new();
        let bind = |values: &mut Values, sid: &Sid| {
            values.add(*sid);
        };
        for (part, size) in Self::parts(sids) {
            let query = sqlx::query_with(self.sql(Frame::Between, size), self.values(part, size, bind)?);
            found.extend(query.fetch_all(&mut *connection).await?);
        }
        Ok(found)
    }

    /// Parts of at most the largest size, each with the index of the smallest size it fits.
    pub(super) fn parts<T>(items: &[T]) -> impl Iterator<Item = (&[T], usize)> {
        items.chunks(LARGEST).map(|part| (part, SIZES.partition_point(|size| *size < part.len())))
    }

    /// The statement's text for the size at an index.
    pub(super) fn sql(&self, frame: Frame, size: usize) -> AssertSqlSafe<Arc<str>> {
        let build = || {
            let row = format!("({})", vec!["?"; self.width].join(","));
            let count = SIZES.get(size).copied().unwrap_or(LARGEST);
            let statement = self.text.replace("{rows}", &vec![row; count].join(","));
            match frame {
                // One statement alone is a transaction by itself.
                Frame::Between | Frame::Alone => Arc::from(statement),
                Frame::First => Arc::from(format!("{BEGIN}; {statement}")),
                Frame::Last => Arc::from(format!("{statement}; {COMMIT}")),
            }
        };
        let [between, first, last] = &self.sql;
        let cells = match frame {
            Frame::Between | Frame::Alone => between,
            Frame::First => first,
            Frame::Last => last,
        };
        AssertSqlSafe(cells.get(size).map_or_else(build, |cell| Arc::clone(cell.get_or_init(build))))
    }

    /// The values of a part; `bind` adds exactly one row's.
    pub(super) fn values<T>(
        &self,
        part: &[T],
        size: usize,
        bind: impl Fn(&mut Values, &T),
    ) -> Result<SqliteArguments, sqlx::Error> {
        let mut values = Values::default();
        values.arguments.reserve(SIZES.get(size).copied().unwrap_or(LARGEST) * self.width, 0);
        for item in part {
            bind(&mut values, item);
        }
        values.finish(part.len() * self.width)
    }
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
