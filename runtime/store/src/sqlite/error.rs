//! What the driver's errors mean: whether it was this job, a moment, or the storage itself.

use std::path::Path;

use provost_domain::ids::CallId;
use provost_domain::port::{Obstacle, StoreError};

/// `SQLITE_BUSY`, `SQLITE_LOCKED`: another program holds the database for longer than we wait.
const BUSY: [i32; 2] = [5, 6];
/// `SQLITE_CONSTRAINT`: a rule of the schema refused a row.
const CONSTRAINT: i32 = 19;
/// `SQLITE_CORRUPT`, `SQLITE_NOTADB`.
const DAMAGED: [i32; 2] = [11, 26];
/// `SQLITE_FULL`.
const FULL: i32 = 13;
const CANTOPEN: i32 = 14;
/// `SQLITE_IOERR_GETTEMPPATH`.
const NO_TEMP: i32 = 6_410;
/// `SQLITE_READONLY`, `SQLITE_IOERR`, `SQLITE_CANTOPEN`.
const UNUSABLE: [i32; 3] = [8, 10, CANTOPEN];

/// A claim of an append could not be taken: nothing of the append may be written.
#[derive(Debug, thiserror::Error)]
#[error("call {call} cannot act on its target now")]
pub(super) struct ClaimObstruction {
    pub(super) call: CallId,
    pub(super) obstacle: Obstacle,
}

/// What an error says about the transaction and the handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// One row broke a rule; the others may be fine.
    Refused,
    /// Nothing began; a later try may work.
    Busy,
    /// Nobody knows what reached the disk: never use the handle again.
    Fatal,
}

pub(super) fn fault(error: &sqlx::Error) -> Fault {
    if obstructed(error).is_some() {
        return Fault::Refused;
    }
    match code(error) {
        Some(CONSTRAINT) => Fault::Refused,
        Some(code) if BUSY.contains(&code) => Fault::Busy,
        Some(_) | None => Fault::Fatal,
    }
}

fn obstructed(error: &sqlx::Error) -> Option<&ClaimObstruction> {
    match error {
        sqlx::Error::Decode(source) => source.downcast_ref(),
        _ => None,
    }
}

/// The primary result code.
fn code(error: &sqlx::Error) -> Option<i32> {
    extended(error).map(|extended| extended & 0xff)
}

fn extended(error: &sqlx::Error) -> Option<i32> {
    error.as_database_error()?.code()?.parse().ok()
}

/// Whether SQLite found no folder for its temporary files, or could make none there.
pub(super) fn lacks_temp(error: &sqlx::Error) -> bool {
    code(error) == Some(CANTOPEN) || extended(error) == Some(NO_TEMP)
}

/// Whether the disk, or the database's own bound, is full.
pub(super) fn is_full(error: &sqlx::Error) -> bool {
    code(error) == Some(FULL)
}

/// The error of a statement.
pub(super) fn failed(error: &sqlx::Error) -> StoreError {
    explain("", error)
}

/// The error of opening or reading a file, which it names.
pub(super) fn failed_at(path: &Path, error: &sqlx::Error) -> StoreError {
    explain(&format!("{}: ", path.display()), error)
}

/// The error of opening a file for reading: even then its folder must be one that can be written.
pub(super) fn unreadable_at(path: &Path, error: &sqlx::Error) -> StoreError {
    if code(error).is_some_and(|code| UNUSABLE.contains(&code)) {
        let next =
            "even reading it needs a folder this user can write: copy it to one, or read what `provost backup` made";
        return StoreError::Failed { detail: format!("{}: {error}; {next}", path.display()) };
    }
    failed_at(path, error)
}

pub(super) fn damaged(detail: impl Into<String>) -> StoreError {
    StoreError::Damaged { detail: detail.into() }
}

fn explain(place: &str, error: &sqlx::Error) -> StoreError {
    if let Some(ClaimObstruction { call, obstacle }) = obstructed(error) {
        return StoreError::NotClaimed { call: call.clone(), obstacle: obstacle.clone() };
    }
    let next = match code(error) {
        Some(code) if DAMAGED.contains(&code) => return damaged(format!("{place}{error}")),
        Some(FULL) => "free disk space and start again",
        Some(code) if BUSY.contains(&code) => "another program holds the database; close it and try again",
        Some(CONSTRAINT) => "nothing of it was written; use an id that is not taken",
        Some(code) if UNUSABLE.contains(&code) => "check the disk and the rights of file and folder, then start again",
        Some(_) | None => "start again; if it happens again, run `provost audit verify`",
    };
    StoreError::Failed { detail: format!("{place}{error}; {next}") }
}
