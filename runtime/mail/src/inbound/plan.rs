//! What is to be done about the deliveries of a group. Only decides: nothing happens here. What a report about an alert leads
//! to is the table in `burning`.

use std::collections::BTreeMap;

use provost_domain::ids::{CmdId, Digest};
use provost_domain::port::{Known, Mark};
use provost_domain::principal::Principal;

use super::draft::{DraftFacts, PlanDraft};
use super::notice::Notice;
use super::planned::{DeliveryPlan, PlannedRetry, PlannedSignal, PlannedStop};

/// Why the stored plan of a group of deliveries cannot be read; `None` if it can.
pub fn unreadable_plan(stored: &str) -> Option<String> {
    serde_json::from_str::<DeliveryPlan>(stored).err().map(|error| error.to_string())
}

/// What a plan is made of.
pub(super) struct PlanFacts<'a> {
    pub(super) group: Digest,
    pub(super) by: Principal,
    pub(super) notices: &'a [Notice],
    /// The place of the last delivery.
    pub(super) upto: u64,
    /// What is known, and what sessions are opened with.
    pub(super) draft: DraftFacts<'a>,
    /// What a group of an earlier version keeps of the same alerts, which this one takes over.
    pub(super) adopted: BTreeMap<String, Known>,
}

/// Decides what the deliveries of a group come to.
pub(super) fn decide(facts: PlanFacts<'_>) -> DeliveryPlan {
    let PlanFacts { group, by, notices, upto, draft, adopted } = facts;
    let standing = draft.standing;
    let mut draft = PlanDraft::new(draft);
    draft.marks = adopted;
    for notice in notices {
        draft.take(notice);
    }
    draft.finish();
    let note = draft.note();
    let opened = draft.opens.iter().map(|open| open.session);
    let session = opened.chain(draft.news.keys().copied()).chain(draft.about.iter().copied()).next().or(standing);
    draft.about.extend(draft.news.keys());
    draft.about.extend(draft.opens.iter().map(|open| open.session));
    draft.about.extend(draft.stops.keys());
    draft.about.retain(|about| Some(*about) != session);
    let signals = draft.news.into_iter().enumerate().map(|(index, (session, news))| PlannedSignal {
        session,
        cmd_id: command_id(group, upto, b"signal", index),
        payload: news.payload(),
    });
    let stops = draft.stops.into_iter().enumerate().map(|(index, (session, reason))| PlannedStop {
        session,
        cmd_id: command_id(group, upto, b"stop", index),
        reason,
    });
    let retries = draft
        .retries
        .into_iter()
        .enumerate()
        .map(|(index, session)| PlannedRetry { session, cmd_id: command_id(group, upto, b"retry", index) });
    DeliveryPlan {
        upto,
        by,
        open: None,
        stops: stops.collect(),
        opens: draft.opens,
        signals: signals.collect(),
        retries: retries.collect(),
        alarms: draft.alarms.into_iter().collect(),
        session,
        marks: draft.marks.into_iter().map(|(name, Known { ended, session })| Mark { name, ended, session }).collect(),
        about: draft.about.into_iter().collect(),
        note,
    }
}

/// Places of a group only grow, so no two plans that were performed share an id.
fn command_id(group: Digest, upto: u64, what: &[u8], index: usize) -> CmdId {
    let parts: [&[u8]; 4] = [group.as_bytes(), &upto.to_be_bytes(), &(index as u64).to_be_bytes(), what];
    CmdId::new(Digest::of_parts(&parts).hex())
}

#[cfg(test)]
mod tests;
