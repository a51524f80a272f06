//! What a decision is made from, and what it comes to.

use serde::{Deserialize, Serialize};

use crate::citation::OlderResults;
use crate::event::EventBody;
use crate::ids::{Digest, Fence, Seq};
use crate::outage::OutageBudgets;
use crate::pack::Pack;
use crate::port::{Models, Roles};
use crate::projection::{ClaimChanges, Obstacles};
use crate::request::{Offers, Question};
use crate::session::Session;
use crate::status::Status;
use crate::time::Timestamp;
use crate::tool::{Catalog, Content, Contents};

/// All a decision may look at besides the session.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The present.
    pub now: Timestamp,
    /// The fence the session is held under.
    pub fence: Fence,
    /// Since when this owner listens: it took the session over then, or handed its last work out.
    pub since: Timestamp,
    /// The session's pack, as the session pinned it.
    pub pack: &'a Pack,
    /// The backend tools.
    pub catalog: &'a Catalog,
    /// Cited tool results that are older than those the session holds.
    pub older: &'a OlderResults,
    /// What each role may do, and how it works.
    pub roles: &'a dyn Roles,
    /// The digests of the two.
    pub inputs: InputDigests,
    /// The configured models.
    pub models: &'a dyn Models,
    /// The tools that the pack's agents are offered.
    pub offers: &'a Offers,
    /// The large values that the session's open turns name.
    pub contents: &'a Contents,
    /// How long calls wait for servers that fail.
    pub outages: &'a OutageBudgets,
    /// What is known to keep calls from acting: why the store did not take what was decided before.
    pub obstacles: &'a Obstacles,
}

/// What a session goes on with, besides its pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputDigests {
    /// Of the tool catalogue.
    pub catalogue: Digest,
    /// Of the roles that agents have.
    pub roles: Digest,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a verdict's events must be appended before anything else happens"]
pub struct Verdict {
    /// The facts, in order.
    pub events: Vec<EventBody>,
    /// Large values the events name.
    pub contents: Vec<Content>,
    /// The questions to models that leave once the events are durable, each with its exact bytes.
    pub questions: Vec<Question>,
    /// What they take and release of the table of claims.
    pub claims: ClaimChanges,
    /// The session after them.
    pub after: Session,
}

/// What a command's sender is told once the verdict is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The status after it.
    #[serde(with = "crate::status::as_word")]
    pub status: Status,
    /// The version after it.
    pub version: Seq,
}
