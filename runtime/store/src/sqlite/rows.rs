//! Columns to domain values. What does not fit its type was damaged on disk, never guessed at.

use std::fmt::Display;

use provost_domain::ids::{Digest, SessionId};
use provost_domain::port::StoreError;
use provost_domain::time::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row as _, Sqlite, Type};

use super::error::damaged;

/// A session's number within this database: what the other tables name it by.
pub(super) type Sid = i64;

/// Reads one row's columns from left to right.
#[derive(Debug)]
pub(super) struct Columns<'r> {
    row: &'r SqliteRow,
    next: usize,
    table: &'static str,
}

impl<'r> Columns<'r> {
    pub(super) fn of(table: &'static str, row: &'r SqliteRow) -> Self {
        Self { row, next: 0, table }
    }

    /// Reads from a later column on.
    pub(super) fn after(table: &'static str, row: &'r SqliteRow, next: usize) -> Self {
        Self { row, next, table }
    }

    /// The next column as it is.
    pub(super) fn get<T>(&mut self) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite>,
    {
        let column = self.next;
        self.next += 1;
        self.row.try_get(column).map_err(|error| damaged(format!("table {}, column {column}: {error}", self.table)))
    }

    /// A counter.
    pub(super) fn count(&mut self) -> Result<u64, StoreError> {
        let value: i64 = self.get()?;
        u64::try_from(value).map_err(|error| self.wrong(&error))
    }

    pub(super) fn maybe_count(&mut self) -> Result<Option<u64>, StoreError> {
        let value: Option<i64> = self.get()?;
        value.map(u64::try_from).transpose().map_err(|error| self.wrong(&error))
    }

    pub(super) fn digest(&mut self) -> Result<Digest, StoreError> {
        let bytes: &[u8] = self.get()?;
        <[u8; 32]>::try_from(bytes).map(Digest::from_bytes).map_err(|error| self.wrong(&error))
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, StoreError> {
        self.get().map(Timestamp::from_micros)
    }

    pub(super) fn maybe_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.get::<Option<i64>>()?.map(Timestamp::from_micros))
    }

    pub(super) fn session(&mut self) -> Result<SessionId, StoreError> {
        let bytes: &[u8] = self.get()?;
        uuid::Uuid::from_slice(bytes).map(SessionId::new).map_err(|error| self.wrong(&error))
    }

    pub(super) fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, StoreError> {
        let text: &str = self.get()?;
        serde_json::from_str(text).map_err(|error| self.wrong(&error))
    }

    /// The error for the column just read.
    pub(super) fn wrong(&self, error: &dyn Display) -> StoreError {
        damaged(format!("table {}, column {}: {error}", self.table, self.next.saturating_sub(1)))
    }
}

/// The bytes a session's id is stored as.
pub(super) fn key(session: &SessionId) -> Vec<u8> {
    session.uuid().as_bytes().to_vec()
}

pub(super) fn missing(session: SessionId) -> StoreError {
    StoreError::missing("session", &session)
}
