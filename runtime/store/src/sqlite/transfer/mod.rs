//! One session as a file that describes itself: written from one store, read into another.
//!
//! One JSON object per line: `session` (format, row), then each record in order behind the large results it names
//! first, then `end`. A record's bytes, salt and hashes are the stored ones, so its chain verifies as it did. `end` holds a
//! digest over all lines before it, so that a file that was cut or changed shows.

mod export;
mod import;

use std::io::{self, BufRead, Read as _};

use provost_domain::ids::{Digest, Handle, Seq, SessionId};
use provost_domain::log::{AppendRecord, RecordHeader};
use provost_domain::port::StoreError;
use provost_domain::time::Timestamp;
use provost_domain::tool::Content;
use serde::{Deserialize, Serialize};

#[cfg(test)]
pub(super) use import::{FIND, FINISH, INSERT};
pub use import::{Imported, Importer};

/// The form this program writes. It reads every older one.
const FORMAT: u32 = 1;
/// The longest line: far more than the largest result a tool may return, and what a foreign file costs at most.
const LINE_MAX: u64 = 256 << 20;

/// Why a session could not be brought from or to a file.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The file is not one of ours, or not as it was written.
    #[error("line {line}: {what}; nothing was imported")]
    File {
        /// The line, from 1.
        line: u64,
        /// What is wrong and what to do.
        what: String,
    },
    /// The session cannot be exported as it is.
    #[error("{what}")]
    Session {
        /// Why, and what to do.
        what: String,
    },
    /// The file cannot be read or written.
    #[error("the file cannot be read or written; check the disk")]
    Io(#[from] io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Session(SessionLine),
    Content(ContentLine),
    Record(Box<RecordLine>),
    End(EndLine),
}

/// What the log does not say, and what it ends with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionLine {
    format: u32,
    id: SessionId,
    handle: Handle,
    pack: String,
    pack_digest: Digest,
    title: String,
    created_at: Timestamp,
    status: String,
    head_seq: Seq,
    head_hash: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContentLine {
    sha256: Digest,
    text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordLine {
    header: RecordHeader,
    payload: String,
    salt: uuid::Uuid,
    digest: Digest,
    prev: Digest,
    hash: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndLine {
    records: u64,
    contents: u64,
    sum: Digest,
}

/// A digest over lines, one after the other.
fn sum(before: Digest, line: &str) -> Digest {
    Digest::of_parts(&[before.as_bytes(), line.as_bytes()])
}

impl RecordLine {
    /// `None` of an erased record.
    fn of(record: AppendRecord) -> Option<Self> {
        let AppendRecord { header, payload, salt, digest, prev, hash } = record;
        let (payload, salt) = (String::from_utf8(payload?).ok()?, uuid::Uuid::from_bytes(salt?));
        Some(Self { header, payload, salt, digest, prev, hash })
    }

    fn into_record(self) -> AppendRecord {
        let Self { header, payload, salt, digest, prev, hash } = self;
        let (payload, salt) = (Some(payload.into_bytes()), Some(salt.into_bytes()));
        AppendRecord { header, payload, salt, digest, prev, hash }
    }
}

/// Reads lines, and says where it is.
struct Lines<'a> {
    file: &'a mut (dyn BufRead + Send),
    number: u64,
    sum: Digest,
}

impl<'a> Lines<'a> {
    fn of(file: &'a mut (dyn BufRead + Send)) -> Self {
        Self { file, number: 0, sum: Digest::default() }
    }

    /// The next line, with the sum of those before it.
    fn next(&mut self) -> Result<(String, Digest), TransferError> {
        self.number += 1;
        let mut line = String::new();
        let read = (&mut *self.file).take(LINE_MAX).read_line(&mut line);
        match read {
            Ok(_) if line.ends_with('\n') => line.truncate(line.len() - 1),
            Ok(0) => return Err(self.wrong("the file ends before its `end`: it was cut; take a whole one")),
            Ok(_) => return Err(self.wrong("the line has no end: the file was cut, or is no exported session")),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(self.foreign()),
            Err(error) => return Err(error.into()),
        }
        let before = self.sum;
        self.sum = sum(before, &line);
        Ok((line, before))
    }

    fn is_at_end(&mut self) -> Result<bool, TransferError> {
        Ok(self.file.fill_buf()?.is_empty())
    }

    fn wrong(&self, what: impl Into<String>) -> TransferError {
        TransferError::File { line: self.number, what: what.into() }
    }

    fn foreign(&self) -> TransferError {
        self.wrong("this is no exported session; name a file that `provost sessions export` wrote")
    }

    fn parse<T: serde::de::DeserializeOwned>(&self, line: &str) -> Result<T, TransferError> {
        serde_json::from_str(line).map_err(|error| match self.number {
            1 => self.foreign(),
            _ => self.wrong(format!("it is not as it was written ({error}); take an unchanged file")),
        })
    }
}

impl ContentLine {
    fn into_content(self, lines: &Lines<'_>) -> Result<Content, TransferError> {
        let bytes = self.text.into_bytes();
        if Digest::of(&bytes) != self.sha256 {
            return Err(lines.wrong("the result was changed after it was written; take an unchanged file"));
        }
        Ok(Content { digest: self.sha256, bytes })
    }
}
