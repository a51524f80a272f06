//! What is derived from the log must say what the log says, and a session at rest must have something that wakes it.

use std::collections::BTreeMap;

use super::{Audit, Fault, Kept, Reach};
use crate::event::Event;
use crate::ids::{ApprovalId, SessionId};
use crate::port::{ApprovalChange, ApprovalRow, SessionRow};
use crate::session::Session;
use crate::status::Status;

/// What a store derived from a session's log, and what it knows besides.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The session's row.
    pub row: SessionRow,
    /// All of its approvals.
    pub approvals: Vec<ApprovalRow>,
    /// How many commands in its inbox nobody has settled.
    pub unread: u64,
    /// Whether its row says that some are.
    pub is_unread: bool,
}

/// The approvals as the log tells them.
#[derive(Debug, Default)]
pub(super) struct Approvals {
    rows: BTreeMap<ApprovalId, ApprovalRow>,
}

impl Approvals {
    pub(super) fn take(&mut self, event: &Event, session: SessionId) {
        for change in ApprovalChange::of(session, event.at, std::slice::from_ref(&event.body)) {
            change.apply(session, &mut self.rows);
        }
    }
}

impl Audit {
    /// Compares what is stored beside the log with it, as far as the log could be read.
    pub(super) fn compare(&mut self, stored: &Stored) {
        if stored.row.fence < self.fence {
            let what = format!("the row's fence {} is below the log's {}", stored.row.fence, self.fence);
            self.problem(None, Fault::Projection, what);
        }
        if let Some(snapshot) = &self.snapshot {
            let what = format!("the snapshot of event {} is ahead of the log", snapshot.seq);
            self.problem(None, Fault::Projection, what);
        }
        for what in self.kept.disagrees(stored) {
            self.problem(None, Fault::Projection, what);
        }
        if self.reach != Reach::Folded {
            return;
        }
        let Some(session) = self.session.take() else { return };
        for (what, holds) in row(&session, &stored.row) {
            if !holds {
                self.problem(None, Fault::Projection, format!("the row's {what} is not the log's"));
            }
        }
        self.compare_approvals(stored);
        if let Some(what) = asleep(&session, stored) {
            self.problem(None, Fault::Asleep, what);
        }
    }

    fn compare_approvals(&mut self, stored: &Stored) {
        let mut told = std::mem::take(&mut self.approvals.rows);
        for row in &stored.approvals {
            if told.remove(&row.id).as_ref() != Some(row) {
                self.problem(
                    None,
                    Fault::Projection,
                    format!("the row of approval {} is not what the log says", row.id),
                );
            }
        }
        for id in told.into_keys() {
            self.problem(None, Fault::Projection, format!("approval {id} of the log has no row"));
        }
    }
}

impl Kept {
    /// Where what is stored beside the log knows nothing of an erasure, or of one that the log does not tell.
    fn disagrees(&self, stored: &Stored) -> Vec<String> {
        let mut found = Vec::new();
        match (stored.row.erased_at, self.buried) {
            (Some(at), false) => {
                found.push(format!("the row says it was erased at {at}, and no tombstone ends the log"));
            }
            (None, true) => {
                found.push("a tombstone ends the log, and the row does not say that it was erased".to_owned());
            }
            (Some(_), true) | (None, false) => {}
        }
        if !self.buried {
            return found;
        }
        if self.snapshot {
            found.push("it was erased, and a snapshot of it is left".to_owned());
        }
        if stored.unread > 0 {
            found.push(format!("it was erased, and {} commands are left in its inbox", stored.unread));
        }
        let left = stored.approvals.iter().filter(|row| !row.args.is_null());
        found.extend(left.map(|row| format!("it was erased, and the arguments of approval {} are left", row.id)));
        found
    }
}

fn row(session: &Session, row: &SessionRow) -> [(&'static str, bool); 6] {
    [
        ("id", session.id() == row.id),
        ("handle", *session.handle() == row.handle),
        ("pack", session.pack() == row.pack),
        ("pack digest", session.pack_digest() == row.pack_digest),
        ("status", session.status().as_str() == row.status),
        ("end", session.status().is_end() == row.ended),
    ]
}

/// Why nothing would ever wake a session that nobody holds. One that is new waits to be started; work left in the middle
/// and unread commands are looked for.
fn asleep(session: &Session, stored: &Stored) -> Option<String> {
    let Stored { row, unread, is_unread, .. } = stored;
    if row.owner.is_some() || *is_unread {
        return None;
    }
    if *unread > 0 {
        return Some(format!("{unread} commands wait in its inbox, and nobody looks for them"));
    }
    if row.next_run_at.is_some() || session.status().is_end() {
        return None;
    }
    match session.status() {
        Status::New | Status::InProgress => return None,
        Status::AwaitingInput | Status::Outcome(_) | Status::Stopped | Status::NeedsReview | Status::Error => {}
    }
    if session.waits().is_empty() {
        return Some("it waits, but for nobody and for no time".to_owned());
    }
    let timer = session.next_timer(row.fence, row.progress_at)?;
    Some(format!("something is due at {timer}, and nobody looks for it"))
}
