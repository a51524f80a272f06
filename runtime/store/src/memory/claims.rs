//! The table of claims.

use provost_domain::claims::ClaimKey;
use provost_domain::ids::SessionId;
use provost_domain::port::{ClaimChanges, ClaimRow, StoreError, TakeClaim};
use provost_domain::projection::obstacle;
use provost_domain::time::Timestamp;

/// Claims in the order in which they were taken.
#[derive(Debug, Default)]
pub(super) struct ClaimTable {
    rows: Vec<ClaimRow>,
}

impl ClaimTable {
    /// Whether all that is to be taken can be, once what is released is.
    pub(super) fn check(&self, session: SessionId, changes: &ClaimChanges, now: Timestamp) -> Result<(), StoreError> {
        let mut rows: Vec<ClaimRow> = Vec::new();
        for take in &changes.take {
            let here = self.rows.iter().filter(|row| row.key == take.key).cloned();
            rows.clear();
            rows.extend(here);
            let released = changes.release.iter();
            for release in released {
                let held = |row: &&mut ClaimRow| is_held(row, session) && row.call == release.call;
                for row in rows.iter_mut().filter(held) {
                    (row.released_at, row.idle) = (Some(now), !release.acted);
                }
            }
            let earlier = changes.take.iter().take_while(|earlier| earlier.call != take.call);
            rows.extend(earlier.filter(|earlier| earlier.key == take.key).map(|earlier| taken(session, earlier, now)));
            if let Some(obstacle) = obstacle(rows.iter(), session, take, now) {
                return Err(StoreError::NotClaimed { call: take.call.clone(), obstacle });
            }
        }
        Ok(())
    }

    /// Releases, then takes.
    pub(super) fn change(&mut self, session: SessionId, changes: &ClaimChanges, now: Timestamp) {
        for release in &changes.release {
            let held = |row: &&mut ClaimRow| is_held(row, session) && row.call == release.call;
            if let Some(row) = self.rows.iter_mut().find(held) {
                (row.released_at, row.idle) = (Some(now), !release.acted);
            }
        }
        self.rows.extend(changes.take.iter().map(|take| taken(session, take, now)));
    }

    /// Takes what is free, for a session that comes with its log.
    pub(super) fn bring(&mut self, rows: Vec<ClaimRow>) {
        for row in rows {
            if !self.rows.iter().any(|held| held.key == row.key && held.released_at.is_none()) {
                self.rows.push(row);
            }
        }
    }

    /// Who acts where somebody else acts too, one line each.
    pub(super) fn shared(&self) -> Vec<String> {
        let held = |row: &&ClaimRow| row.released_at.is_none();
        let twice = |row: &&ClaimRow| self.rows.iter().filter(held).filter(|other| other.key == row.key).count() > 1;
        self.rows.iter().filter(held).filter(twice).map(ClaimRow::beside_another).collect()
    }

    /// Every row of a session.
    pub(super) fn of(&self, session: SessionId) -> Vec<ClaimRow> {
        self.rows.iter().filter(|row| row.session == session).cloned().collect()
    }

    /// Who holds a key.
    pub(super) fn holder(&self, key: &ClaimKey) -> Option<ClaimRow> {
        self.rows.iter().find(|row| row.key == *key && row.released_at.is_none()).cloned()
    }

    /// Removes every row of a session.
    pub(super) fn erase(&mut self, session: SessionId) {
        self.rows.retain(|row| row.session != session);
    }
}

fn is_held(row: &ClaimRow, session: SessionId) -> bool {
    row.session == session && row.released_at.is_none()
}

fn taken(session: SessionId, take: &TakeClaim, at: Timestamp) -> ClaimRow {
    ClaimRow {
        key: take.key.clone(),
        kind: take.kind,
        session,
        call: take.call.clone(),
        tool: take.tool.clone(),
        taken_at: at,
        released_at: None,
        idle: false,
    }
}
