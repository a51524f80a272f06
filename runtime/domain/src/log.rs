//! The log's records: events sealed into a hash chain, and the one door back from bytes to events.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::{DecodeError, EncodeError, Event, EventBody, SessionErased, Upcasts};
use crate::ids::{CmdId, Digest, Fence, Seq, SessionId};
use crate::time::Timestamp;

/// Several events as one durable, tamper-evident record.
///
/// `digest = H(salt ‖ payload)`, `hash = H(prev, header, digest)`: a payload can be erased later (salt and payload go, the
/// digest stays) and the chain still verifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppendRecord {
    /// What is known without the payload.
    pub header: RecordHeader,
    /// The events as bytes (a JSON array of `{kind, v, data}`); `None` once erased.
    pub payload: Option<Vec<u8>>,
    /// Random bytes that make the digest of an erased payload meaningless; `None` once erased.
    pub salt: Option<[u8; 16]>,
    /// Digest of salt and payload.
    pub digest: Digest,
    /// Hash of the record before it; zero for the first.
    pub prev: Digest,
    /// Hash over the previous record's hash, this record's header and its payload's digest.
    pub hash: Digest,
}

/// A record's header, part of its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordHeader {
    /// The session whose log the record belongs to.
    pub session: SessionId,
    /// Its first event's position.
    pub first_seq: Seq,
    /// Its last event's position.
    pub last_seq: Seq,
    /// The fence it was written under.
    pub fence: Fence,
    /// Unique per session: resolves an ambiguous commit.
    pub cmd_id: CmdId,
    /// When its events happened, by the owner's clock.
    pub at: Timestamp,
    /// The kinds of its events, in order, comma-separated.
    pub kinds: String,
}

/// What a record is sealed from.
#[derive(Debug)]
pub struct Unsealed<'a> {
    /// The session whose log is appended to.
    pub session: SessionId,
    /// The head before it.
    pub after: Seq,
    /// The fence it is written under.
    pub fence: Fence,
    /// The id of the command that led to these events.
    pub cmd_id: CmdId,
    /// When.
    pub at: Timestamp,
    /// Its events; not empty.
    pub events: &'a [EventBody],
    /// Random bytes.
    pub salt: [u8; 16],
    /// Hash of the record before it.
    pub prev: Digest,
}

/// A record does not fit its chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The record does not follow the one before it.
    #[error("record {first}..={last} does not follow {after}: a record is missing, doubled or out of order")]
    Gap {
        /// The head before it.
        after: Seq,
        /// Its first event.
        first: Seq,
        /// Its last event.
        last: Seq,
    },
    /// A hash does not match: the record was changed after it was written.
    #[error("record {first} was changed after it was written (its {part} does not match)")]
    Tampered {
        /// Its first event.
        first: Seq,
        /// `previous hash`, `payload` or `hash`.
        part: &'static str,
    },
    /// Its events cannot be read.
    #[error("record {first} cannot be read: {source}")]
    Unreadable {
        /// Its first event.
        first: Seq,
        /// Why.
        source: DecodeError,
    },
    /// Its payload was erased, so it cannot be folded.
    #[error("record {first} was erased")]
    Erased {
        /// Its first event.
        first: Seq,
    },
}

impl AppendRecord {
    /// Seals events into a record.
    ///
    /// # Errors
    /// An event cannot be written as JSON: a payload without it must never be sealed.
    pub fn seal(unsealed: Unsealed<'_>) -> Result<Self, EncodeError> {
        let payload = EventBody::encode_all(unsealed.events)?;
        let kinds = unsealed.events.iter().map(EventBody::kind).collect::<Vec<_>>().join(",");
        let header = RecordHeader {
            session: unsealed.session,
            first_seq: unsealed.after.next(),
            last_seq: Seq(unsealed.after.0 + unsealed.events.len() as u64),
            fence: unsealed.fence,
            cmd_id: unsealed.cmd_id,
            at: unsealed.at,
            kinds,
        };
        let digest = Digest::of_parts(&[&unsealed.salt, &payload]);
        let hash = header.hash(unsealed.prev, digest);
        Ok(Self { header, payload: Some(payload), salt: Some(unsealed.salt), digest, prev: unsealed.prev, hash })
    }

    /// Checks the record against the head before it and against its own hashes, without reading its events.
    pub fn verify(&self, after: Seq, prev: Digest) -> Result<(), ChainError> {
        let (first, last) = (self.header.first_seq, self.header.last_seq);
        if first != after.next() || last < first {
            return Err(ChainError::Gap { after, first, last });
        }
        if self.prev != prev {
            return Err(ChainError::Tampered { first, part: "previous hash" });
        }
        match (&self.payload, &self.salt) {
            (Some(payload), Some(salt)) if Digest::of_parts(&[salt, payload]) == self.digest => {}
            (None, None) => {}
            // One of the two alone proves nothing.
            (Some(_), Some(_) | None) | (None, Some(_)) => {
                return Err(ChainError::Tampered { first, part: "payload" });
            }
        }
        if self.header.hash(prev, self.digest) != self.hash {
            return Err(ChainError::Tampered { first, part: "hash" });
        }
        Ok(())
    }

    /// The events of a record that fits its chain: the only door from bytes to events, so that nobody forges one.
    ///
    /// Events an older version wrote are lifted to their present form; hashes are over the stored bytes.
    pub fn open(&self, after: Seq, prev: Digest) -> Result<Vec<Event>, ChainError> {
        self.open_with(after, prev, Upcasts::KNOWN)
    }

    fn open_with(&self, after: Seq, prev: Digest, upcasts: Upcasts) -> Result<Vec<Event>, ChainError> {
        self.verify(after, prev)?;
        let first = self.header.first_seq;
        let payload = self.payload.as_ref().ok_or(ChainError::Erased { first })?;
        let bodies =
            EventBody::decode_all(payload, upcasts).map_err(|source| ChainError::Unreadable { first, source })?;
        if bodies.len() as u64 != self.header.last_seq.0 - after.0 {
            return Err(ChainError::Gap { after, first, last: self.header.last_seq });
        }
        Ok(bodies
            .into_iter()
            .zip(first.0..)
            .map(|(body, seq)| Event { seq: Seq(seq), at: self.header.at, fence: self.header.fence, body })
            .collect())
    }
}

/// A log whose payloads were erased: what its last record says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tombstone {
    /// Who, why, and how much.
    pub erased: SessionErased,
    /// When.
    pub at: Timestamp,
}

impl fmt::Display for Tombstone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "erased by {} at {}: {}", self.erased.by, self.at, self.erased.reason)
    }
}

impl Tombstone {
    /// As faces show it: `by`, `at`, `reason`, `events`.
    pub fn to_json(&self) -> serde_json::Value {
        let SessionErased { by, reason, events } = &self.erased;
        serde_json::json!({"by": by, "at": self.at.to_string(), "reason": reason, "events": events})
    }

    /// What a record says of its log, if it is a tombstone and fits its own hashes.
    pub fn of(record: &AppendRecord) -> Option<Self> {
        let after = Seq(record.header.first_seq.0.checked_sub(1)?);
        let events = record.open(after, record.prev).ok()?;
        let [Event { at, body: EventBody::SessionErased(erased), .. }] = events.as_slice() else { return None };
        (erased.events == after.0).then(|| Self { erased: erased.clone(), at: *at })
    }
}

impl RecordHeader {
    fn hash(&self, prev: Digest, digest: Digest) -> Digest {
        Digest::of_parts(&[
            prev.as_bytes(),
            self.session.uuid().as_bytes(),
            &self.first_seq.0.to_be_bytes(),
            &self.last_seq.0.to_be_bytes(),
            &self.fence.0.to_be_bytes(),
            self.cmd_id.as_str().as_bytes(),
            &self.at.micros().to_be_bytes(),
            self.kinds.as_bytes(),
            digest.as_bytes(),
        ])
    }
}

#[cfg(test)]
mod tests;
