//! The seam to stored deliveries: what came in from outside, kept before anything runs.
//!
//! Deliveries about one case belong to one group. A group is worked on in two durable steps, so that a crash repeats
//! nothing: its plan is stored, what the plan says is performed (each part does nothing when it was done before), then
//! the deliveries are finished and the plan is dropped.

use std::collections::BTreeMap;
use std::str::FromStr;

use async_trait::async_trait;

use super::error::StoreError;
use crate::ids::{DeliveryId, Digest, SessionId};
use crate::principal::Principal;
use crate::time::Timestamp;

/// A delivery to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its id, minted by the caller.
    pub id: DeliveryId,
    /// The kind of sender, as the configuration names it.
    pub source: String,
    /// Who handed it in.
    pub by: Principal,
    /// What came, byte for byte.
    pub body: Vec<u8>,
    /// What it is at arrival.
    pub arrived: Arrived,
    /// When.
    pub at: Timestamp,
}

/// What a delivery is when it comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrived {
    /// It waits for its group to be worked on.
    Waiting {
        /// The case that it belongs to, as a digest of what its sender says.
        group: Digest,
    },
    /// It cannot be worked on; kept so that it can be replayed.
    Bad {
        /// Why.
        reason: String,
    },
}

/// How far a delivery has been processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// Not worked on yet.
    Waiting,
    /// Worked on.
    Done,
    /// Cannot be worked on.
    Bad,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Done, Self::Bad];

    /// Its word, stored and at the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done => "done",
            Self::Bad => "bad",
        }
    }
}

/// A word that names no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no state of that name; the states are waiting, done, bad")]
pub struct UnknownState;

impl FromStr for DeliveryState {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownState)
    }
}

/// A stored delivery with its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its place in the order of arrival.
    pub seq: u64,
    /// The id by which lists and commands refer to it.
    pub id: DeliveryId,
    /// The kind of sender.
    pub source: String,
    /// Who handed it in.
    pub by: Principal,
    /// What came.
    pub body: Vec<u8>,
    /// How far it has been processed.
    pub state: DeliveryState,
}

/// A delivery in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Its place in the order of arrival.
    pub seq: u64,
    /// The id by which lists and commands refer to it.
    pub id: DeliveryId,
    /// The kind of sender.
    pub source: String,
    /// Who handed it in.
    pub by: Principal,
    /// How far it has been processed.
    pub state: DeliveryState,
    /// What came of it, or why it is bad.
    pub note: String,
    /// The session it went to.
    pub session: Option<SessionId>,
    /// Its body's size.
    pub bytes: u64,
    /// When it came.
    pub at: Timestamp,
}

/// Which deliveries to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Only this state.
    pub state: Option<DeliveryState>,
    /// Only those before this place: the cursor.
    pub before: Option<u64>,
    /// At most this many; the store caps it at 500.
    pub limit: u32,
}

/// Something a group's session was told about, by a name that is the same whenever it is told again.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Mark {
    /// What tells this alert from others of its group.
    pub name: String,
    /// Whether it is over.
    pub ended: bool,
    /// The session that was told; `None` in plans stored before this was noted: the one the deliveries went to.
    #[serde(default)]
    pub session: Option<SessionId>,
}

/// What is known of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Whether it is over.
    pub ended: bool,
    /// The session that was told about it last, unless that one was erased.
    pub session: Option<SessionId>,
}

/// All that is needed to work on a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupWork {
    /// The session the group last went to.
    pub session: Option<SessionId>,
    /// A plan that was stored and not finished: perform it before anything else.
    pub plan: Option<String>,
    /// What is known of it, by mark.
    pub marks: BTreeMap<String, Known>,
    /// Its waiting deliveries, oldest first.
    pub deliveries: Vec<Delivery>,
}

/// The end of one piece of work on a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish {
    /// The group whose deliveries were processed.
    pub group: Digest,
    /// The last delivery that was looked at, by its place.
    pub upto: u64,
    /// The sessions they speak of besides the one they went to: their bodies go with the first of them that is erased.
    pub about: Vec<SessionId>,
    /// What came of them.
    pub what: Finished,
}

/// What came of a group's deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finished {
    /// They were worked on.
    Done {
        /// The session they went to; the group stays with it. `None` leaves the group where it was.
        session: Option<SessionId>,
        /// What is known from now on.
        marks: Vec<Mark>,
        /// What was done, in few words.
        note: String,
    },
    /// They cannot be worked on.
    Bad {
        /// Why.
        reason: String,
    },
}

/// What dismissing a bad delivery came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "perhaps there was nothing to dismiss"]
pub enum DismissAnswer {
    /// It is done, and its body is gone.
    Dismissed,
    /// There is no bad delivery of that id: nothing changed.
    NotBad,
}

/// Writes.
#[async_trait]
pub trait Deliveries: Send + Sync + std::fmt::Debug {
    /// Stores a delivery. Once it returns `Ok` it is durable.
    async fn deliver(&self, delivery: NewDelivery) -> Result<(), StoreError>;

    /// Stores a group's plan in place of the one it may have. Once it returns it is durable.
    async fn plan(&self, group: Digest, plan: &str) -> Result<(), StoreError>;

    /// Finishes the group's waiting deliveries up to a place, drops its plan and keeps its marks, in one transaction. The
    /// bodies go if a session they speak of was erased meanwhile. Returns how many deliveries were finished.
    async fn finish(&self, finish: Finish) -> Result<u64, StoreError>;

    /// Makes a bad delivery a done one.
    async fn dismiss(&self, id: &DeliveryId, note: &str) -> Result<DismissAnswer, StoreError>;
}

/// What can be read about deliveries without changing them.
#[async_trait]
pub trait DeliveryReads: Send + Sync + std::fmt::Debug {
    /// The groups that have waiting deliveries and how many, the longest waiting group first.
    async fn waiting(&self) -> Result<Vec<(Digest, u64)>, StoreError>;

    /// What is needed to work on a group, with at most `limit` of its deliveries.
    async fn work(&self, group: Digest, limit: u32) -> Result<GroupWork, StoreError>;

    /// The delivery with its body; an error if there is none with this id.
    async fn delivery(&self, id: &DeliveryId) -> Result<Delivery, StoreError>;

    /// Deliveries, newest first.
    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryRow>, StoreError>;
}
