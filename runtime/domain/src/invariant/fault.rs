//! What can be wrong with a session, and what to do about it.

use crate::ids::Seq;

/// What kind of thing does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The log itself.
    Log,
    /// Nothing: it was written by a newer version.
    Newer,
    /// Something derived from the log.
    Projection,
    /// A large result that an event names.
    Content,
    /// Something that waits beside the logs: a command, a delivery, a plan, a message.
    Row,
    /// More than one call acts on one target.
    Shared,
    /// Nothing would ever wake the session.
    Asleep,
}

impl Fault {
    /// What to do about it.
    pub const fn next(self) -> &'static str {
        match self {
            Self::Log => "keep the file, and take the session from a backup made before",
            Self::Newer => "upgrade this program, then verify again",
            Self::Projection => {
                "the log is whole: keep the file, `provost sessions export` the session and import it into another store"
            }
            Self::Content => "keep the file, and take the session from a backup made before; its events can be read",
            Self::Row => {
                "the logs are not concerned: a command is refused and a delivery becomes bad when it is next looked at; send it again"
            }
            Self::Shared => "look at the target, then settle or stop all sessions but one; report this as a bug",
            Self::Asleep => "start it, stop it or say something to it: any command wakes it",
        }
    }
}

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Problem {
    /// The first event of the record it was seen at, if at one.
    pub record: Option<Seq>,
    /// What kind of thing it is.
    pub fault: Fault,
    /// What is wrong.
    pub what: String,
}
