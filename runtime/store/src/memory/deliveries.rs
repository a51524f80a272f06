//! Deliveries, their groups, and what those know, in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use provost_domain::ids::{DeliveryId, Digest, SessionId};
use provost_domain::port::{
    Arrived, Delivery, DeliveryFilter, DeliveryRow, DeliveryState, Finish, Finished, GroupWork, Known, NewDelivery,
    StoreError,
};
use provost_domain::time::Timestamp;

/// All deliveries, in the order they came.
#[derive(Debug, Default)]
pub(super) struct DeliveryTable {
    kept: BTreeMap<u64, Kept>,
    places: HashMap<DeliveryId, u64>,
    groups: HashMap<Digest, Group>,
    last: u64,
}

#[derive(Debug)]
struct Kept {
    row: DeliveryRow,
    body: Vec<u8>,
    group: Option<Digest>,
    /// The sessions it speaks of besides the one it went to.
    about: BTreeSet<SessionId>,
}

#[derive(Debug, Default)]
struct Group {
    session: Option<SessionId>,
    plan: Option<String>,
    marks: BTreeMap<String, Known>,
}

/// What deliveries have to know of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// There is none of that id.
    Unknown,
    /// It has not ended.
    Open,
    /// It ended, and its owner has not given it up yet.
    Ending,
    /// It ended and rests since then.
    Ended {
        /// Since when its log has not grown.
        since: Timestamp,
    },
    /// It was erased.
    Erased,
}

impl Kept {
    fn is_waiting_in(&self, group: Digest) -> bool {
        self.row.state == DeliveryState::Waiting && self.group == Some(group)
    }

    fn erase(&mut self) {
        self.body.clear();
        "erased".clone_into(&mut self.row.note);
    }

    fn listed(&self) -> DeliveryRow {
        DeliveryRow { bytes: self.body.len() as u64, ..self.row.clone() }
    }

    fn whole(&self) -> Delivery {
        let DeliveryRow { seq, id, source, by, state, .. } = self.row.clone();
        Delivery { seq, id, source, by, state, body: self.body.clone() }
    }
}

impl DeliveryTable {
    pub(super) fn deliver(&mut self, new: NewDelivery) -> Result<(), StoreError> {
        let NewDelivery { id, source, by, body, arrived, at } = new;
        if self.places.contains_key(&id) {
            let detail = format!("delivery {id} exists already; use an id that is not taken");
            return Err(StoreError::Failed { detail });
        }
        let (group, state, note) = match arrived {
            Arrived::Waiting { group } => (Some(group), DeliveryState::Waiting, String::new()),
            Arrived::Bad { reason } => (None, DeliveryState::Bad, reason),
        };
        self.last += 1;
        self.places.insert(id.clone(), self.last);
        let row = DeliveryRow { seq: self.last, id, source, by, state, note, session: None, bytes: 0, at };
        self.kept.insert(self.last, Kept { row, body, group, about: BTreeSet::new() });
        Ok(())
    }

    pub(super) fn plan(&mut self, group: Digest, plan: &str) {
        self.groups.entry(group).or_default().plan = Some(plan.to_owned());
    }

    /// Returns how many deliveries were finished.
    pub(super) fn finish(&mut self, finish: Finish, fate: impl Fn(SessionId) -> Fate) -> u64 {
        let Finish { group, upto, about, what } = finish;
        let (state, note, session, marks) = match what {
            Finished::Done { session, marks, note } => (DeliveryState::Done, note, session, marks),
            Finished::Bad { reason } => (DeliveryState::Bad, reason, None, Vec::new()),
        };
        if session.is_some() || !marks.is_empty() {
            self.groups.entry(group).or_default();
        }
        if let Some(known) = self.groups.get_mut(&group) {
            known.session = session.or(known.session);
            known.plan = None;
            let is_there = |id: &SessionId| match fate(*id) {
                Fate::Open | Fate::Ending | Fate::Ended { .. } => true,
                Fate::Unknown | Fate::Erased => false,
            };
            for mark in marks {
                let told = mark.session.or(session).filter(is_there);
                known.marks.insert(mark.name, Known { ended: mark.ended, session: told });
            }
        }
        let was_erased = about.iter().chain(&session).any(|id| fate(*id) == Fate::Erased);
        let mut finished = 0;
        for kept in self.kept.range_mut(..=upto).map(|(_, kept)| kept).filter(|kept| kept.is_waiting_in(group)) {
            kept.about.extend(about.iter().copied());
            kept.row.session = session;
            (kept.row.state, kept.row.note) = (state, note.clone());
            if was_erased || kept.body.is_empty() {
                kept.row.state = DeliveryState::Done;
                kept.erase();
            }
            finished += 1;
        }
        finished
    }

    /// Whether there was a bad one of that id.
    pub(super) fn dismiss(&mut self, id: &DeliveryId, note: &str) -> bool {
        let kept = self.places.get(id).and_then(|place| self.kept.get_mut(place));
        let Some(kept) = kept.filter(|kept| kept.row.state == DeliveryState::Bad) else { return false };
        kept.body.clear();
        (kept.row.state, kept.row.note) = (DeliveryState::Done, note.to_owned());
        true
    }

    /// The groups that have waiting deliveries and how many, the longest waiting group first.
    pub(super) fn waiting(&self) -> Vec<(Digest, u64)> {
        let mut groups: BTreeMap<Digest, (u64, u64)> = BTreeMap::new();
        for kept in self.kept.values().filter(|kept| kept.row.state == DeliveryState::Waiting) {
            let Some(group) = kept.group else { continue };
            groups.entry(group).or_insert((kept.row.seq, 0)).1 += 1;
        }
        let mut groups: Vec<_> = groups.into_iter().map(|(group, (first, count))| (first, group, count)).collect();
        groups.sort_unstable();
        groups.into_iter().map(|(_, group, count)| (group, count)).collect()
    }

    pub(super) fn work(&self, group: Digest, limit: usize) -> GroupWork {
        let waiting = self.kept.values().filter(|kept| kept.is_waiting_in(group));
        let deliveries = waiting.take(limit).map(Kept::whole).collect();
        match self.groups.get(&group) {
            Some(Group { session, plan, marks }) => {
                GroupWork { session: *session, plan: plan.clone(), marks: marks.clone(), deliveries }
            }
            None => GroupWork { session: None, plan: None, marks: BTreeMap::new(), deliveries },
        }
    }

    pub(super) fn delivery(&self, id: &DeliveryId) -> Result<Delivery, StoreError> {
        let kept = self.places.get(id).and_then(|place| self.kept.get(place));
        kept.map(Kept::whole).ok_or_else(|| StoreError::missing("delivery", id))
    }

    pub(super) fn list(&self, filter: &DeliveryFilter, limit: usize) -> Vec<DeliveryRow> {
        let before = self.kept.range(..filter.before.unwrap_or(u64::MAX)).rev().map(|(_, kept)| kept);
        let fits = |kept: &&Kept| filter.state.is_none_or(|state| kept.row.state == state);
        before.filter(fits).take(limit).map(Kept::listed).collect()
    }

    /// Whether a group that went to the session is being worked on.
    pub(super) fn is_planned(&self, session: SessionId) -> bool {
        self.groups.values().any(|group| group.session == Some(session) && group.plan.is_some())
    }

    /// Drops what speaks of a session.
    pub(super) fn erase(&mut self, session: SessionId) {
        for kept in self.kept.values_mut() {
            if kept.about.remove(&session) || kept.row.session == Some(session) {
                kept.erase();
                if kept.row.state == DeliveryState::Bad {
                    // Nothing can be made of it any more.
                    kept.row.state = DeliveryState::Done;
                }
            }
        }
        self.groups.retain(|_, group| {
            if group.plan.is_some() || group.session != Some(session) {
                return true;
            }
            // What another of its sessions was told stays, and the group with it.
            group.marks.retain(|_, known| known.session.is_some_and(|told| told != session));
            group.session = group.marks.values().filter_map(|known| known.session).max();
            group.session.is_some()
        });
        for known in self.groups.values_mut().flat_map(|group| group.marks.values_mut()) {
            known.session = known.session.filter(|told| *told != session);
        }
    }

    /// Deletes what is finished and old, the oldest first, and groups that nothing asks for any more. Returns how many
    /// deliveries went.
    pub(super) fn prune(&mut self, before: Timestamp, limit: usize, fate: impl Fn(SessionId) -> Fate) -> u64 {
        let is_open = |session: Option<SessionId>| session.is_some_and(|id| fate(id) == Fate::Open);
        let is_old =
            |row: &DeliveryRow| row.state != DeliveryState::Waiting && row.at < before && !is_open(row.session);
        let old = self.kept.values().map(|kept| &kept.row).filter(|row| is_old(row));
        let mut old: Vec<_> = old.map(|row| (row.at, row.seq, row.id.clone())).collect();
        old.sort();
        old.truncate(limit);
        self.prune_groups(before, limit, fate);
        for (_, seq, id) in &old {
            self.kept.remove(seq);
            self.places.remove(id);
        }
        old.len() as u64
    }

    fn prune_groups(&mut self, before: Timestamp, limit: usize, fate: impl Fn(SessionId) -> Fate) {
        let is_quiet = |session| match fate(session) {
            Fate::Ended { since } => since < before,
            Fate::Unknown | Fate::Open | Fate::Ending | Fate::Erased => false,
        };
        let is_needed = |kept: &Kept| kept.row.state == DeliveryState::Waiting || kept.row.at >= before;
        let needed: BTreeSet<Digest> =
            self.kept.values().filter(|kept| is_needed(kept)).filter_map(|kept| kept.group).collect();
        let is_stale = |(digest, group): &(&Digest, &Group)| {
            group.plan.is_none() && group.session.is_some_and(is_quiet) && !needed.contains(digest)
        };
        let stale: Vec<Digest> = self.groups.iter().filter(is_stale).map(|(digest, _)| *digest).take(limit).collect();
        for group in stale {
            self.groups.remove(&group);
        }
    }
}
