//! Wake-ups for those who follow a session's log.

use provost_domain::ids::{Seq, SessionId};
use provost_domain::status::Status;

/// A session's log grew. Only a wake-up: the log's sequence is the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// Whose log it is.
    pub session: SessionId,
    /// The last event of the log; 0 where the session cannot be carried on.
    pub head_seq: Seq,
    /// The session's status after that event; `None` where the session cannot be carried on.
    pub status: Option<Status>,
    /// Whether that is an end.
    pub ended: bool,
}
