//! One statement about no session's row, with its values.

use provost_domain::event::EncodeError;
use provost_domain::port::StoreError;
use serde::Serialize;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Sqlite, SqliteConnection};

/// A value of a statement.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Bytes(Vec<u8>),
    Number(Option<i64>),
}

/// One statement about no session's row, and its values.
#[derive(Debug)]
pub(super) struct Statement {
    sql: &'static str,
    values: Vec<Value>,
}

impl Statement {
    pub(super) fn new(sql: &'static str) -> Self {
        Self { sql, values: Vec::new() }
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.with(Value::Text(text.to_owned()))
    }

    /// A value as JSON text.
    pub(super) fn json<T: Serialize + ?Sized>(self, value: &T) -> Result<Self, StoreError> {
        let text = serde_json::to_string(value).map_err(|error| EncodeError::new("a list of ids", &error))?;
        Ok(self.with(Value::Text(text)))
    }

    pub(super) fn maybe_text(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(text),
            None => self.maybe(None),
        }
    }

    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        self.with(Value::Bytes(bytes.to_vec()))
    }

    /// Bytes, or NULL.
    pub(super) fn maybe_bytes(self, bytes: Option<Vec<u8>>) -> Self {
        self.with(bytes.map_or(Value::Number(None), Value::Bytes))
    }

    pub(super) fn number(self, number: i64) -> Self {
        self.maybe(Some(number))
    }

    pub(super) fn maybe(self, number: Option<i64>) -> Self {
        self.with(Value::Number(number))
    }

    fn with(mut self, value: Value) -> Self {
        self.values.push(value);
        self
    }

    /// Runs it and returns how many rows it changed.
    pub(super) async fn execute(&self, connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
        self.query().execute(connection).await.map(|done| done.rows_affected())
    }

    /// Runs it and returns its rows.
    pub(super) async fn fetch(&self, connection: &mut SqliteConnection) -> Result<Vec<SqliteRow>, sqlx::Error> {
        self.query().fetch_all(connection).await
    }

    fn query(&self) -> Query<'_, Sqlite, SqliteArguments> {
        self.values.iter().fold(sqlx::query(self.sql), |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Bytes(bytes) => query.bind(bytes),
            Value::Number(number) => query.bind(*number),
        })
    }
}
