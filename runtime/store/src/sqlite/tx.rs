//! A transaction that travels with its statements: the first carries the `BEGIN`, the last the `COMMIT`, because each
//! trip to the connection's thread and back costs as much as the statement.

use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;

use super::bulk::{Bulk, Frame, Values};
use super::job::Asked;
use super::rows::Sid;
use super::statement::Statement;
use super::transaction::{BEGIN, COMMIT};
use crate::guards::Guards;

/// Whether more statements follow in the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    More,
    /// None does: the statement may commit.
    Commit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was run yet.
    New,
    Open,
    Committed,
    /// Inside a transaction that somebody else ends.
    Nested,
}

/// A write transaction on the one write connection.
#[derive(Debug)]
pub(super) struct Tx<'c> {
    connection: &'c mut SqliteConnection,
    state: State,
    pub(super) guards: Guards,
}

impl<'c> Tx<'c> {
    /// Begins with its first statement.
    pub(super) fn new(connection: &'c mut SqliteConnection, guards: Guards) -> Self {
        Self { connection, state: State::New, guards }
    }

    /// Within a transaction that is open already and that its opener ends.
    pub(super) fn nested(connection: &'c mut SqliteConnection, guards: Guards) -> Self {
        Self { connection, state: State::Nested, guards }
    }

    /// Runs a statement over all items. None runs for no items, whatever `then` says.
    pub(super) async fn run<T: Sync>(
        &mut self,
        bulk: &Bulk,
        items: &[T],
        then: Then,
        bind: impl Fn(&mut Values, &T) + Send,
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        self.run_pair(bulk, items, then, (bind, |_: &mut Values, _: &T| {})).await
    }

    /// Runs a pair of statements over all items.
    pub(super) async fn run_pair<T: Sync>(
        &mut self,
        bulk: &Bulk,
        items: &[T],
        then: Then,
        (bind, more): (impl Fn(&mut Values, &T) + Send, impl Fn(&mut Values, &T) + Send),
    ) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let mut found = Vec::new();
        let mut parts = Bulk::parts(items).peekable();
        while let Some((part, size)) = parts.next() {
            let (frame, state) = match (self.state, then) {
                (State::New, Then::Commit) if parts.peek().is_none() => (Frame::Alone, State::Committed),
                (State::New, Then::More | Then::Commit) => (Frame::First, State::Open),
                (State::Open, Then::Commit) if parts.peek().is_none() => (Frame::Last, State::Committed),
                (state @ (State::Open | State::Nested | State::Committed), Then::More | Then::Commit) => {
                    (Frame::Between, state)
                }
            };
            let query = sqlx::query_with(bulk.sql(frame, size), bulk.values(part, size, &bind, &more)?);
            let rows = query.fetch_all(&mut *self.connection).await?;
            self.state = state;
            found.extend(rows);
        }
        Ok(found)
    }

    /// Runs a statement that takes one number per row.
    pub(super) async fn over(&mut self, bulk: &Bulk, sids: &[Sid], then: Then) -> Result<Vec<SqliteRow>, sqlx::Error> {
        let bind = |values: &mut Values, sid: &Sid| {
            values.add(*sid);
        };
        self.run(bulk, sids, then, bind).await
    }

    /// Runs single statements, and returns how many rows the last one of each job changed.
    pub(super) async fn each(&mut self, asked: &[Asked<Vec<Statement>, u64>]) -> Result<Vec<u64>, sqlx::Error> {
        if self.state == State::New && !asked.is_empty() {
            sqlx::query(BEGIN).execute(&mut *self.connection).await?;
            self.state = State::Open;
        }
        let mut changed = Vec::with_capacity(asked.len());
        for Asked { request, .. } in asked {
            let mut last = 0;
            for statement in request {
                last = statement.execute(&mut *self.connection).await?;
            }
            changed.push(last);
        }
        Ok(changed)
    }

    /// Runs one statement inside the open transaction and returns its rows.
    pub(super) async fn fetch(&mut self, statement: &Statement) -> Result<Vec<SqliteRow>, sqlx::Error> {
        statement.fetch(&mut *self.connection).await
    }

    /// Commits what no statement has committed. Once it returns, everything is durable.
    pub(super) async fn finish(self) -> Result<(), sqlx::Error> {
        match self.state {
            State::Open => sqlx::query(COMMIT).execute(self.connection).await.map(drop),
            State::New | State::Committed | State::Nested => Ok(()),
        }
    }
}
