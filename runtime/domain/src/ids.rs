//! Identifiers. Every id is a newtype; ids the runtime mints are derived, never random, except [`SessionId`].

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A text could not be read as the id it was given for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}; {hint}")]
pub struct BadId {
    kind: &'static str,
    text: String,
    hint: &'static str,
}

/// A session's id: `ses_` and a `UUIDv7` in its simple form, so ids sort by creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(uuid::Uuid);

impl SessionId {
    /// Wraps a `UUIDv7` minted by the caller (randomness is an argument here).
    pub const fn new(id: uuid::Uuid) -> Self {
        Self(id)
    }

    /// The bare UUID.
    pub const fn uuid(self) -> uuid::Uuid {
        self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ses_{}", self.0.as_simple())
    }
}

impl FromStr for SessionId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let id = text.strip_prefix("ses_").and_then(|rest| uuid::Uuid::try_parse(rest).ok()).map(Self);
        id.filter(|id| id.to_string() == text).ok_or_else(|| BadId {
            kind: "session id",
            text: bounded(text),
            hint: "expected `ses_` and 32 lowercase hex digits",
        })
    }
}

impl Serialize for SessionId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// At most 80 characters of a text from outside, for error messages.
fn bounded(text: &str) -> String {
    text.chars().take(80).collect()
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The one after this one.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number_id! {
    /// An event's position in its session's log; the first event is 1, 0 means "nothing yet".
    Seq
}
number_id! {
    /// The session's number that shuts stale owners out; it only grows.
    Fence
}
number_id! {
    /// An assignment's ordinal within its session, from 1.
    AssignmentId
}

/// Ids of one text are copied all the time and hardly ever made: a copy shares the text.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a text; see the type for its form.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into().into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_id! {
    /// A human handle, `INC-20261120-0001`: pack prefix, UTC day, a counter of that day without an upper limit.
    Handle
}
text_id! {
    /// A tool call's id within its session: `<assignment>.<round>.<index>`, derived from where it stands, never from an
    /// attempt, so that the idempotency key made of it is stable.
    CallId
}
text_id! {
    /// An approval's id: `apr_` and 24 hex digits derived from session and call.
    ApprovalId
}
text_id! {
    /// The id a caller gives a command so that it is applied at most once; at most 128 characters.
    CmdId
}
text_id! {
    /// One process incarnation (a UUID minted per start): who holds a session's row.
    Owner
}
text_id! {
    /// A pack's name.
    PackName
}
text_id! {
    /// An agent's name within its pack.
    AgentName
}
text_id! {
    /// A role's name: which behaviour in code an agent maps onto.
    RoleName
}
text_id! {
    /// A tool's one name per record: `server:tool` for a backend's, a bare name for the runtime's own and the pack's.
    ToolName
}
text_id! {
    /// An access token's id: 12 hex digits, part of its secret.
    TokenId
}
text_id! {
    /// A delivery's id: `dlv_` and 32 hex digits, minted when it comes in.
    DeliveryId
}
text_id! {
    /// The id of a message to the outside: `msg_` and 32 hex digits derived from its key.
    MessageId
}

impl CallId {
    /// The id of the `index`th call of a round of an assignment.
    pub fn at(assignment: AssignmentId, round: u32, index: usize) -> Self {
        Self(format!("{assignment}.{round}.{index}").into())
    }

    /// The assignment it belongs to; `None` for a call of a person's claim.
    pub fn assignment(&self) -> Option<AssignmentId> {
        let (number, _) = self.0.split_once('.')?;
        let assignment = AssignmentId(number.parse().ok()?);
        (assignment.to_string() == number).then_some(assignment)
    }

    /// The id of the effect of a claim made by this call.
    #[must_use]
    pub fn effect(&self) -> Self {
        Self(format!("{}.effect", self.0).into())
    }

    /// The idempotency key the world sees: stable for the call across crashes and takeovers.
    pub fn key(&self, session: SessionId) -> String {
        format!("{session}/{}", self.0)
    }
}

impl ApprovalId {
    /// The approval of a call, derived.
    pub fn of(session: SessionId, call: &CallId) -> Self {
        let hash = Digest::of_parts(&[session.uuid().as_bytes(), call.as_str().as_bytes()]);
        Self(format!("apr_{}", hash.hex().chars().take(24).collect::<String>()).into())
    }

    /// The approval that is asked for in the place of this one.
    #[must_use]
    pub fn anew(&self) -> Self {
        let hash = Digest::of(self.0.as_bytes());
        Self(format!("apr_{}", hash.hex().chars().take(24).collect::<String>()).into())
    }
}

/// Longest name of a tool that every model server takes.
const WIRE_NAME_MAX: usize = 64;
/// How much of a longer one is kept, before the digits of its digest.
const WIRE_NAME_KEPT: usize = 55;
/// How many digits of the digest tell it from others.
const WIRE_NAME_DIGITS: usize = 8;

impl ToolName {
    /// Whether a model sees this name as `wire`.
    pub fn is_wired_as(&self, wire: &str) -> bool {
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        let begins = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        // Most names need no thought: letters, and one colon at most.
        match self.0.split_once(':') {
            _ if self.0.len() >= WIRE_NAME_MAX || !begins(&self.0) => self.wire() == wire,
            None if plain(&self.0) => *self.0 == *wire,
            Some((server, tool)) if plain(server) && plain(tool) => {
                let rest = wire.strip_prefix(server).and_then(|rest| rest.strip_prefix("__"));
                rest.is_some_and(|rest| rest == tool)
            }
            Some(_) | None => self.wire() == wire,
        }
    }

    /// The name a model sees, of letters that every server takes: `server__tool`. Two of an agent's tools that would have the
    /// same one are refused at load.
    pub fn wire(&self) -> String {
        let mut wire = String::with_capacity(self.0.len() + 2);
        for c in self.0.chars() {
            match c {
                ':' => wire.push_str("__"),
                _ if c.is_ascii_alphanumeric() || c == '_' || c == '-' => wire.push(c),
                _ => wire.push('_'),
            }
        }
        if !wire.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            wire.insert(0, '_');
        }
        if wire.len() > WIRE_NAME_MAX {
            let digits: String = Digest::of(self.0.as_bytes()).hex().chars().take(WIRE_NAME_DIGITS).collect();
            wire.truncate(WIRE_NAME_KEPT);
            wire = format!("{wire}_{digits}");
        }
        wire
    }
}

/// Bytes as lowercase hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    let mut text = String::with_capacity(bytes.len() * 2);
    text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
    text
}

/// How many bytes of a text are hashed at once, so that the many short parts of JSON cost little.
const HASHED_AT_ONCE: usize = 1024;

struct HashWriter(Sha256);

impl Write for HashWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A SHA-256 digest, hex at the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of parts, each preceded by its length, so that no two lists of parts collide.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// The digest of what a value is written as in JSON: that of its text, which is not held as a whole.
    ///
    /// What has no JSON text has the digest of as much of it as can be written.
    pub fn of_written(value: &impl Serialize) -> Self {
        let mut writer = BufWriter::with_capacity(HASHED_AT_ONCE, HashWriter(Sha256::new()));
        let written = serde_json::to_writer(&mut writer, value);
        debug_assert!(written.is_ok(), "a value that has no JSON text");
        let (writer, rest) = writer.into_parts();
        let hasher = writer.0.chain_update(rest.unwrap_or_default());
        Self(hasher.finalize().into())
    }

    /// The digest of a JSON value in canonical form (`serde_json` keeps object keys sorted).
    pub fn of_json(value: &serde_json::Value) -> Self {
        Self::of(value.to_string().as_bytes())
    }

    /// Wraps raw bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The raw bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Lowercase hex, 64 digits.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hex())
    }
}

impl FromStr for Digest {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadId { kind: "digest", text: bounded(text), hint: "expected 64 hex digits" };
        let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
        let digits = digits.filter(|d| d.len() == 64).ok_or_else(bad)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair.iter().fold(0, |high, low| (high << 4) | low);
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_digest_is_that_of_the_written_text_however_long() {
        for value in [json!([]), json!({"b": ["x".repeat(3 * HASHED_AT_ONCE)], "a": 1.5})] {
            assert_eq!(Digest::of_written(&value), Digest::of(value.to_string().as_bytes()));
        }
    }

    proptest! {
        #[test]
        fn a_name_is_known_by_what_a_model_sees_of_it(
            name in "[a-c1._]{0,3}(:[a-c:ä]{0,3})?(d{58,62})?",
            other in "[a-c1_]{0,3}(__[a-c]{0,3})?",
        ) {
            let name = ToolName::new(name);
            prop_assert!(name.is_wired_as(&name.wire()));
            prop_assert_eq!(name.is_wired_as(&other), name.wire() == other);
            prop_assert_eq!(name.is_wired_as(name.as_str()), name.wire() == name.as_str());
        }
    }
}
