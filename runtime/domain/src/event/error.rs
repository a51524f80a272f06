//! Why bytes could not be read as events, or something could not be written as bytes.

/// Bytes could not be read as events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A kind, or a version of its payload, from after this program.
    #[error("event `{kind}` version {version} was written by a newer provost; upgrade this one")]
    Newer {
        /// The event's kind as it is stored.
        kind: String,
        /// Its payload's version.
        version: u16,
    },
    /// A version of a kind's payload that no step leads on from.
    #[error("event `{kind}` version {version} is older than any release wrote; restore a backup")]
    Unheard {
        /// The event's kind as it is stored.
        kind: String,
        /// Its payload's version.
        version: u16,
    },
    /// The payload does not have its kind's form.
    #[error("event `{kind}` is malformed: {detail}")]
    Malformed {
        /// The kind, or `list` for the array itself.
        kind: String,
        /// What is wrong.
        detail: String,
    },
}

/// Something could not be written as JSON, so nothing of it may be stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} cannot be written as JSON: {detail}; report this as a bug")]
pub struct EncodeError {
    what: &'static str,
    detail: String,
}

impl EncodeError {
    /// Names what could not be written.
    pub fn new(what: &'static str, error: &serde_json::Error) -> Self {
        Self { what, detail: error.to_string() }
    }
}
