//! Events that do not fit.

use crate::ids::Seq;

/// An event does not fit the state it meets: the log is not one this program wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IllegalEvent {
    /// Not the next position.
    #[error("event {seq} does not follow {head}")]
    OutOfOrder {
        /// The event's position.
        seq: Seq,
        /// The position of the last event that was applied.
        head: Seq,
    },
    /// The first event is not a creation, or a later one is.
    #[error("event {seq} `{kind}` stands where the log's first event and only that must create the session")]
    Creation {
        /// The event's position.
        seq: Seq,
        /// The kind of the event that stands there.
        kind: &'static str,
    },
    /// It speaks of something that is not there.
    #[error("event {seq} `{kind}` names {what}, which is not there")]
    Unknown {
        /// The event's position.
        seq: Seq,
        /// The kind of the event that names it.
        kind: &'static str,
        /// What it names.
        what: String,
    },
    /// The snapshot could not be read.
    #[error("the snapshot cannot be read: {detail}")]
    Snapshot {
        /// Why.
        detail: String,
    },
}
