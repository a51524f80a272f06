//! One statement for many rows: the driver hands each statement to a thread and back, so their number is what costs.

use std::sync::{Arc, OnceLock};

use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments as _, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type};

use super::rows::Sid;
use super::transaction::{BEGIN, COMMIT};

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

/// A statement with `{rows}` where its rows of values go, as `(VALUES {rows})`; or a second one behind it, with `{more}`
/// for the values of its own that each item has.
#[derive(Debug)]
pub(super) struct Bulk {
    text: &'static str,
    width: usize,
    more: usize,
    sql: [[OnceLock<Arc<str>>; SIZES.len()]; 4],
}

impl Bulk {
    /// `width` is the number of values per row.
    pub(super) const fn new(text: &'static str, width: usize) -> Self {
        Self::pair(text, width, 0)
    }

    /// Two statements; `more` is the number of values per row of the second.
    pub(super) const fn pair(text: &'static str, width: usize, more: usize) -> Self {
        Self { text, width, more, sql: [const { [const { OnceLock::new() }; SIZES.len()] }; 4] }
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
            let query = sqlx::query_with(self.sql(Frame::Between, size), self.values(part, size, bind, |_, _| {})?);
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
            let count = SIZES.get(size).copied().unwrap_or(LARGEST);
            let statement = self.text.replace("{rows}", &rows(count, self.width));
            let statement = statement.replace("{more}", &rows(count, self.more));
            match frame {
                Frame::Between => Arc::from(statement),
                Frame::First => Arc::from(format!("{BEGIN}; {statement}")),
                Frame::Last => Arc::from(format!("{statement}; {COMMIT}")),
                // One statement is a transaction by itself.
                Frame::Alone if self.more == 0 => Arc::from(statement),
                Frame::Alone => Arc::from(format!("{BEGIN}; {statement}; {COMMIT}")),
            }
        };
        let [between, first, last, alone] = &self.sql;
        let cells = match frame {
            Frame::Between => between,
            Frame::First => first,
            Frame::Last => last,
            Frame::Alone => alone,
        };
        AssertSqlSafe(cells.get(size).map_or_else(build, |cell| Arc::clone(cell.get_or_init(build))))
    }

    /// The values of a part; `bind` adds exactly one row's, and `more` one row's of the second statement.
    pub(super) fn values<T>(
        &self,
        part: &[T],
        size: usize,
        bind: impl Fn(&mut Values, &T),
        more: impl Fn(&mut Values, &T),
    ) -> Result<SqliteArguments, sqlx::Error> {
        let count = SIZES.get(size).copied().unwrap_or(LARGEST);
        let mut values = Values::default();
        values.arguments.reserve(count * (self.width + self.more), 0);
        for item in part {
            bind(&mut values, item);
        }
        values.expect(part.len() * self.width)?;
        if self.more > 0 {
            // The rows of the first statement that are not bound must not take the second one's values.
            for _ in part.len() * self.width..count * self.width {
                values.add(None::<i64>);
            }
            for item in part {
                more(&mut values, item);
            }
            values.expect(count * self.width + part.len() * self.more)?;
        }
        Ok(values.arguments)
    }
}

/// `(?,?),(?,?)`. Not numbered: looking up a numbered one takes a walk over all of them.
fn rows(count: usize, width: usize) -> String {
    let row = format!("({})", vec!["?"; width].join(","));
    vec![row; count].join(",")
}

/// The values of a statement, in order.
#[derive(Debug, Default)]
pub(super) struct Values {
    arguments: SqliteArguments,
    error: Option<sqlx::error::BoxDynError>,
}

impl Values {
    /// Adds what the statement's next placeholder stands for.
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

    fn expect(&mut self, count: usize) -> Result<(), sqlx::Error> {
        match self.error.take() {
            Some(error) => Err(sqlx::Error::Encode(error)),
            None if self.arguments.len() != count => {
                Err(sqlx::Error::Protocol(format!("{} values bound where {count} are named", self.arguments.len())))
            }
            None => Ok(()),
        }
    }
}
