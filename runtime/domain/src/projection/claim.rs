//! The table of claims: its rows, what an append changes in it, and what keeps a claim from being taken.

use std::collections::BTreeMap;

use crate::claims::{ClaimKey, ClaimKind, HeldClaim, Repeat};
use crate::event::{EventBody, Settlement};
use crate::ids::{CallId, SessionId, ToolName};
use crate::session::Session;
use crate::time::Timestamp;
use crate::tool::{Happened, RecordedOutcome};

/// A claim that an append takes, or fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakeClaim {
    /// What is claimed.
    pub key: ClaimKey,
    /// What for.
    pub kind: ClaimKind,
    /// The call that acts.
    pub call: CallId,
    /// The tool that is called.
    pub tool: ToolName,
    /// How often that tool may act there.
    pub repeat: Repeat,
    /// When a person was asked to let the call run, if one was: nobody else may have acted there since.
    pub asked_at: Option<Timestamp>,
}

/// A claim that an append gives up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseClaim {
    /// The call it was taken for.
    pub call: CallId,
    /// Whether the call may have changed something. One that surely did nothing does not count as an act.
    pub acted: bool,
}

impl ReleaseClaim {
    /// What an event releases, if its call holds a claim.
    pub fn by(event: &EventBody) -> Option<Self> {
        if let EventBody::ToolReturned(returned) = event {
            let acted = match &returned.outcome {
                RecordedOutcome::Failed { failure } => failure.happened != Happened::No,
                RecordedOutcome::Ok { .. }
                | RecordedOutcome::Empty { .. }
                | RecordedOutcome::Truncated { .. }
                | RecordedOutcome::Partial { .. } => true,
            };
            return Some(Self { call: returned.call.clone(), acted });
        }
        // An outcome that nobody knows keeps its claim.
        let EventBody::OutcomeSettled(settled) = event else { return None };
        let acted = match settled.settlement {
            Settlement::Happened { .. } | Settlement::GiveUp { .. } => true,
            Settlement::DidNotHappen { .. } => false,
        };
        Some(Self { call: settled.call.clone(), acted })
    }
}

/// What an append changes in the table of claims. What it releases is free for what it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimChanges {
    /// Taken, all of them or the append fails.
    pub take: Vec<TakeClaim>,
    /// Given up.
    pub release: Vec<ReleaseClaim>,
}

impl ClaimChanges {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.take.is_empty() && self.release.is_empty()
    }

    /// Adds later changes.
    pub fn extend(&mut self, later: Self) {
        self.take.extend(later.take);
        self.release.extend(later.release);
    }
}

/// A row of the table of claims. It stays after its release, for what counts acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRow {
    /// What is claimed.
    pub key: ClaimKey,
    /// What for.
    pub kind: ClaimKind,
    /// Whose it is.
    pub session: SessionId,
    /// The call it was taken for.
    pub call: CallId,
    /// The tool that is called.
    pub tool: ToolName,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// When it was given up; `None` while it is held.
    pub released_at: Option<Timestamp>,
    /// Whether the call surely did nothing.
    pub idle: bool,
}

impl ClaimRow {
    /// What an audit says of a held claim where another call holds the same target.
    pub fn beside_another(&self) -> String {
        let Self { key, kind: _, session, call, tool, taken_at, released_at: _, idle: _ } = self;
        format!("target {key}: call {call} of {session} acts on it by {tool} since {taken_at}, beside another call")
    }

    /// The claims that a session holds.
    pub fn held_by(session: &Session) -> Vec<Self> {
        let row = |(call, held): (&CallId, &HeldClaim)| Self {
            key: held.key.clone(),
            kind: ClaimKind::Act,
            session: session.id(),
            call: call.clone(),
            tool: held.tool.clone(),
            taken_at: held.since,
            released_at: None,
            idle: false,
        };
        session.held().iter().map(row).collect()
    }
}

/// Why a claim could not be taken: nothing of the append was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Somebody holds the key.
    Taken {
        /// What is claimed.
        key: ClaimKey,
        /// Whose claim it is.
        holder: SessionId,
        /// Since when.
        since: Timestamp,
    },
    /// Another session acted on the target after a person was asked to let this call run.
    Acted {
        /// What is claimed.
        key: ClaimKey,
        /// Who acted.
        by: SessionId,
        /// When that ended.
        at: Timestamp,
    },
    /// The tool acted there as often as it may.
    Repeated {
        /// When it may again.
        free_at: Timestamp,
    },
}

/// What is known to keep calls from acting, by call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Obstacles(BTreeMap<CallId, Obstacle>);

impl Obstacles {
    /// Nothing is known.
    pub const NONE: &'static Self = &Self(BTreeMap::new());

    /// Notes what keeps a call from acting.
    pub fn note(&mut self, call: CallId, obstacle: Obstacle) {
        self.0.insert(call, obstacle);
    }

    /// What keeps a call from acting, as far as is known.
    pub fn of(&self, call: &CallId) -> Option<&Obstacle> {
        self.0.get(call)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// What keeps a claim from being taken, by the rows of all sessions: the rule that every store follows.
pub fn obstacle<'a>(
    rows: impl Iterator<Item = &'a ClaimRow> + Clone,
    session: SessionId,
    take: &TakeClaim,
    now: Timestamp,
) -> Option<Obstacle> {
    let here = rows.filter(|row| row.key == take.key);
    if let Some(held) = here.clone().find(|row| row.released_at.is_none()) {
        return Some(Obstacle::Taken { key: take.key.clone(), holder: held.session, since: held.taken_at });
    }
    let ended = here.clone().filter(|row| row.session != session && !row.idle);
    let last = ended.filter_map(|row| Some((row.released_at?, row.session))).max();
    if let (Some((at, by)), Some(asked_at)) = (last, take.asked_at)
        && at > asked_at
    {
        return Some(Obstacle::Acted { key: take.key.clone(), by, at });
    }
    let from = now.minus(take.repeat.within);
    let acts = here.filter(|row| row.tool == take.tool && !row.idle && row.taken_at > from);
    let mut acts: Vec<Timestamp> = acts.map(|row| row.taken_at).collect();
    acts.sort_unstable_by(|a, b| b.cmp(a));
    let oldest = usize::try_from(take.repeat.max.max(1)).ok().and_then(|max| acts.get(max - 1));
    oldest.map(|at| Obstacle::Repeated { free_at: at.plus(take.repeat.within) })
}

#[cfg(test)]
mod tests;
