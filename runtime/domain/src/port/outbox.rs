//! The seam to stored messages: what is to be told outside, kept before anything is sent.
//!
//! A message is a call that was answered as soon as it was durable. It is sent at least once, always under the call's key,
//! until its target took it, refused it, or nobody could be reached for too long.

use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;

use super::error::StoreError;
use crate::ids::{Digest, MessageId, SessionId};
use crate::time::Timestamp;
use crate::tool::ToolCall;

/// The longest pause between two tries. A next try that lies farther ahead was put there by a clock that was set back since:
/// it is due now.
pub const PAUSE_MAX: Duration = Duration::from_hours(1);

/// A message to be stored. Its target is the call's tool.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// What is to be done.
    pub call: ToolCall,
    /// When.
    pub at: Timestamp,
}

impl NewMessage {
    /// Its id, derived from the call's key: the same call is the same message.
    pub fn id(&self) -> MessageId {
        let digest = Digest::of(self.call.key.as_bytes()).hex();
        MessageId::new(format!("msg_{}", digest.chars().take(32).collect::<String>()))
    }
}

/// Whether a message still has to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// Not taken yet; it is tried again.
    Waiting,
    /// Its target took it.
    Sent,
    /// It is tried no more.
    Failed,
}

impl MessageState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Sent, Self::Failed];

    /// Its word, stored and at the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

/// A word that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no state of that name; the states are waiting, sent, failed")]
pub struct UnknownMessageState;

impl FromStr for MessageState {
    type Err = UnknownMessageState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownMessageState)
    }
}

/// A message that is due.
#[derive(Debug, Clone)]
pub struct Message {
    /// The id by which lists and commands refer to it.
    pub id: MessageId,
    /// What is to be done.
    pub call: ToolCall,
    /// How often it was tried.
    pub tries: u64,
    /// Since when it waits: when it was stored, or when a person had it tried again.
    pub since: Timestamp,
}

/// A message in a list, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Its place in the order of storing.
    pub seq: u64,
    /// The id by which lists and commands refer to it.
    pub id: MessageId,
    /// The tool that carries it.
    pub target: String,
    /// The session it comes from.
    pub session: SessionId,
    /// The key it is sent under.
    pub key: String,
    /// Whether it still has to be sent.
    pub state: MessageState,
    /// What the last try came to.
    pub note: String,
    /// How often it was tried.
    pub tries: u64,
    /// When it was stored.
    pub at: Timestamp,
    /// When it was last tried.
    pub tried_at: Option<Timestamp>,
    /// When it is tried next.
    pub next_at: Option<Timestamp>,
}

/// Which messages to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// Only this state.
    pub state: Option<MessageState>,
    /// Only those of this session.
    pub session: Option<SessionId>,
    /// Only those before this place: the cursor.
    pub before: Option<u64>,
    /// At most this many; the store caps it at 500.
    pub limit: u32,
}

/// The waiting messages of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The configured name of where it is sent.
    pub target: String,
    /// How many.
    pub count: u64,
    /// When the first of them is to be tried.
    pub next_at: Timestamp,
    /// When the last of them is.
    pub last_at: Timestamp,
}

impl Queued {
    /// When to look at them: at `now` if something is due, as [`OutboxReads::due`] sees it.
    pub fn due_at(&self, now: Timestamp) -> Timestamp {
        if self.last_at > now.plus(PAUSE_MAX) { now } else { self.next_at }
    }
}

/// One try at a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The message.
    pub id: MessageId,
    /// When.
    pub at: Timestamp,
    /// What comes next.
    pub then: Then,
    /// What it came to, in few words without secrets.
    pub note: String,
}

/// What follows a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing: it was taken.
    Sent,
    /// Another one.
    Again {
        /// When.
        at: Timestamp,
    },
    /// Nothing: it was refused, or was tried for long enough.
    Failed,
}

/// What storing a message came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "perhaps the message was not stored"]
pub enum EnqueueAnswer {
    /// The message is durable and will be sent.
    Stored,
    /// A message of this key is there already and stays as it is, or its session was erased and nothing of it is sent any
    /// more.
    NothingNew,
}

/// What counting a try came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "perhaps the try was not counted"]
pub enum TryAnswer {
    /// The try was recorded.
    Counted,
    /// No message of that id waits: nothing changed.
    NotWaiting,
}

/// What sending a message again came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "perhaps there was nothing to send again"]
pub enum AgainAnswer {
    /// The message will be tried again at once.
    Due,
    /// It was sent, or there is no message of that id: nothing changed.
    NothingToSend,
}

/// Writes.
#[async_trait]
pub trait Outbox: Send + Sync + std::fmt::Debug {
    /// Stores a message that is due at once. Once it returns `Ok` it is durable, unless its session was erased.
    async fn enqueue(&self, message: NewMessage) -> Result<EnqueueAnswer, StoreError>;

    /// Counts a try at a waiting message.
    async fn tried(&self, tried: &Tried) -> Result<TryAnswer, StoreError>;

    /// Makes a failed message wait again, and a waiting one due now.
    async fn again(&self, id: &MessageId, at: Timestamp) -> Result<AgainAnswer, StoreError>;
}

/// What can be read about messages without changing them.
#[async_trait]
pub trait OutboxReads: Send + Sync + std::fmt::Debug {
    /// What waits, by target.
    async fn queued(&self) -> Result<Vec<Queued>, StoreError>;

    /// The messages of a target that are due, the longest due first: those whose time has come, and those whose time lies
    /// more than [`PAUSE_MAX`] ahead.
    async fn due(&self, target: &str, now: Timestamp, limit: u32) -> Result<Vec<Message>, StoreError>;

    /// The row of this id; an error if there is none.
    async fn message(&self, id: &MessageId) -> Result<MessageRow, StoreError>;

    /// Messages, newest first.
    async fn messages(&self, filter: &MessageFilter) -> Result<Vec<MessageRow>, StoreError>;
}

/// What one try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carried {
    /// The target took it.
    Taken,
    /// It did not, but may later.
    NotYet {
        /// Why, without secrets.
        why: String,
        /// How long the target asked to wait.
        after: Option<Duration>,
    },
    /// It never will.
    Refused {
        /// Why, without secrets.
        why: String,
    },
}

/// Carries messages to one target.
#[async_trait]
pub trait Carrier: Send + Sync + std::fmt::Debug {
    /// One try, within a bounded time and under the call's key.
    async fn carry(&self, call: &ToolCall) -> Carried;

    /// The pause that its target wants between two messages, which then go one after another.
    fn pause(&self) -> Option<Duration> {
        None
    }
}
