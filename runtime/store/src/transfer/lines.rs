//! The lines of a session's file.

use std::io::{self, BufRead, Read as _};

use provost_domain::ids::{Digest, Handle, PackName, Seq, SessionId};
use provost_domain::log::{AppendRecord, RecordHeader};
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_domain::tool::Content;
use serde::{Deserialize, Serialize};

use super::error::TransferError;

/// The form this program writes. It reads every older one.
pub(super) const FORMAT: u32 = 1;
/// The longest line: far more than the largest result a tool may return, and what a foreign file costs at most.
const LINE_MAX: u64 = 256 << 20;

/// What a line of a session's file holds.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Line {
    Session(SessionLine),
    Content(ContentLine),
    Record(Box<RecordLine>),
    End(EndLine),
}

/// What the log does not say, and what it ends with.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SessionLine {
    pub(super) format: u32,
    pub(super) id: SessionId,
    pub(super) handle: Handle,
    pub(super) pack: PackName,
    pub(super) pack_digest: Digest,
    pub(super) title: String,
    pub(super) created_at: Timestamp,
    #[serde(with = "provost_domain::status::as_word")]
    pub(super) status: Status,
    pub(super) head_seq: Seq,
    pub(super) head_hash: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContentLine {
    pub(super) sha256: Digest,
    pub(super) text: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordLine {
    header: RecordHeader,
    payload: String,
    salt: uuid::Uuid,
    digest: Digest,
    prev: Digest,
    hash: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndLine {
    pub(super) records: u64,
    pub(super) contents: u64,
    pub(super) sum: Digest,
}

/// A digest over lines, one after the other.
pub(super) fn sum(before: Digest, line: &str) -> Digest {
    Digest::of_parts(&[before.as_bytes(), line.as_bytes()])
}

impl RecordLine {
    /// `None` of an erased record.
    pub(super) fn of(record: AppendRecord) -> Option<Self> {
        let AppendRecord { header, payload, salt, digest, prev, hash } = record;
        let (payload, salt) = (String::from_utf8(payload?).ok()?, uuid::Uuid::from_bytes(salt?));
        Some(Self { header, payload, salt, digest, prev, hash })
    }

    pub(super) fn into_record(self) -> AppendRecord {
        let Self { header, payload, salt, digest, prev, hash } = self;
        let (payload, salt) = (Some(payload.into_bytes()), Some(salt.into_bytes()));
        AppendRecord { header, payload, salt, digest, prev, hash }
    }
}

/// Reads lines, and says where it is.
pub(super) struct Lines<'a> {
    file: &'a mut (dyn BufRead + Send),
    number: u64,
    sum: Digest,
}

impl<'a> Lines<'a> {
    pub(super) fn of(file: &'a mut (dyn BufRead + Send)) -> Self {
        Self { file, number: 0, sum: Digest::default() }
    }

    /// The next line, with the sum of those before it.
    pub(super) fn next(&mut self) -> Result<(String, Digest), TransferError> {
        self.number += 1;
        let mut line = String::new();
        let read = (&mut *self.file).take(LINE_MAX).read_line(&mut line);
        match read {
            Ok(_) if line.ends_with('\n') => line.truncate(line.len() - 1),
            Ok(0) => return Err(self.wrong("the file ends before its `end`: it was cut; take a whole one")),
            Ok(_) => return Err(self.wrong("the line has no end: the file was cut, or is not an exported session")),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(self.foreign()),
            Err(error) => return Err(error.into()),
        }
        let before = self.sum;
        self.sum = sum(before, &line);
        Ok((line, before))
    }

    pub(super) fn is_at_end(&mut self) -> Result<bool, TransferError> {
        Ok(self.file.fill_buf()?.is_empty())
    }

    pub(super) fn wrong(&self, what: impl Into<String>) -> TransferError {
        TransferError::File { line: self.number, what: what.into() }
    }

    pub(super) fn foreign(&self) -> TransferError {
        self.wrong("this is not an exported session; name a file that `provost sessions export` wrote")
    }

    pub(super) fn parse<T: serde::de::DeserializeOwned>(&self, line: &str) -> Result<T, TransferError> {
        serde_json::from_str(line).map_err(|error| match self.number {
            1 => self.foreign(),
            _ => self.wrong(format!("it is not as it was written ({error}); take an unchanged file")),
        })
    }
}

impl ContentLine {
    pub(super) fn into_content(self, lines: &Lines<'_>) -> Result<Content, TransferError> {
        let bytes = self.text.into_bytes();
        if Digest::of(&bytes) != self.sha256 {
            return Err(lines.wrong("the result was changed after it was written; take an unchanged file"));
        }
        Ok(Content { digest: self.sha256, bytes })
    }
}
