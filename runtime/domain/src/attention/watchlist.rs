//! What people were told of a session's needs, as it is stored between two looks.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::need::{NeedId, NeedKind};
use crate::ids::Seq;
use crate::time::Timestamp;

/// What people were told so far. Bounded by what one session may wait for at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watchlist {
    /// What is needed, each with what was told of it.
    pub needs: BTreeMap<NeedId, NeedRecord>,
    /// Every contact that was ever told of this session.
    pub told: BTreeSet<String>,
    /// Where the last acknowledgement stands in the log that was seen.
    pub acknowledged: Seq,
    /// How many looks told somebody something: numbers the messages.
    pub messages: u64,
}

/// One need, and what was told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeedRecord {
    /// Which kind of need it is.
    pub kind: NeedKind,
    /// Since when it is needed, or was first seen to be.
    pub since: Timestamp,
    /// When it was told first; `None` before that.
    pub first_told: Option<Timestamp>,
    /// When it was told last.
    pub last_told: Option<Timestamp>,
    /// The contacts that were told.
    pub told: BTreeSet<String>,
    /// How often it was told again.
    pub reminders: u32,
    /// How many of the rule's escalations were made.
    pub escalations: usize,
    /// Whether it was told that it will expire soon.
    pub expiring: bool,
    /// Whether a person said that they are at it.
    pub acknowledged: bool,
}

impl NeedRecord {
    pub(super) fn new(kind: NeedKind, since: Timestamp) -> Self {
        Self {
            kind,
            since,
            first_told: None,
            last_told: None,
            told: BTreeSet::new(),
            reminders: 0,
            escalations: 0,
            expiring: false,
            acknowledged: false,
        }
    }
}
