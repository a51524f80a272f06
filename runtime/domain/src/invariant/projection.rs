//! What is derived from the log must say what the log says, and a session at rest must have something that wakes it.

use std::collections::BTreeMap;

use super::erasure::Payloads;
use super::fault::Fault;
use super::stored::Stored;
use crate::event::Event;
use crate::ids::{ApprovalId, Fence, Seq, SessionId};
use crate::projection::{ApprovalChange, ApprovalRow, SessionRow};
use crate::session::Session;
use crate::status::Status;

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

    fn differences(mut self, stored: &Stored) -> Vec<String> {
        let mut found = Vec::new();
        for row in &stored.approvals {
            if self.rows.remove(&row.id).as_ref() != Some(row) {
                found.push(format!("the row of approval {} is not what the log says", row.id));
            }
        }
        found.extend(self.rows.into_keys().map(|id| format!("approval {id} of the log has no row")));
        found
    }
}

/// What an examination knows of a log that it has read to its end.
pub(super) struct LogSummary<'a> {
    /// The fence of the last record.
    pub(super) fence: Fence,
    /// The position of a snapshot that no record reached.
    pub(super) snapshot: Option<Seq>,
    pub(super) payloads: &'a Payloads,
    /// The folded session; `None` where not every event could be folded.
    pub(super) session: Option<Session>,
    pub(super) approvals: Approvals,
}

impl LogSummary<'_> {
    /// Where what is stored beside the log differs from it, as far as the log could be read.
    pub(super) fn differences(self, stored: &Stored) -> Vec<(Fault, String)> {
        let mut found = Vec::new();
        if stored.row.fence < self.fence {
            found.push(format!("the row's fence {} is below the log's {}", stored.row.fence, self.fence));
        }
        if let Some(seq) = self.snapshot {
            found.push(format!("the snapshot of event {seq} is ahead of the log"));
        }
        found.extend(self.payloads.disagrees(stored));
        let Some(session) = self.session else { return of(Fault::Projection, found) };
        let wrong = row(&session, &stored.row).into_iter().filter(|(_, holds)| !holds);
        found.extend(wrong.map(|(what, _)| format!("the row's {what} is not the log's")));
        found.extend(self.approvals.differences(stored));
        found.extend(claims(&session, stored));
        let mut found = of(Fault::Projection, found);
        found.extend(asleep(&session, stored).map(|what| (Fault::Asleep, what)));
        found
    }
}

fn of(fault: Fault, found: Vec<String>) -> Vec<(Fault, String)> {
    found.into_iter().map(|what| (fault, what)).collect()
}

/// A claim is held exactly as long as the log does not tell what came of its call.
fn claims(session: &Session, stored: &Stored) -> Vec<String> {
    let mut open: BTreeMap<_, _> = session.held().iter().collect();
    let mut found = Vec::new();
    for row in stored.claims.iter().filter(|row| row.released_at.is_none()) {
        match open.remove(&row.call) {
            Some(held) if held.key == row.key => {}
            Some(_) | None => found.push(format!("the claim of call {} on {} is not the log's", row.call, row.key)),
        }
    }
    found.extend(
        open.into_iter().map(|(call, held)| format!("call {call} holds {} by the log, and no row says so", held.key)),
    );
    found
}

fn row(session: &Session, row: &SessionRow) -> [(&'static str, bool); 6] {
    [
        ("id", session.id() == row.id),
        ("handle", *session.handle() == row.handle),
        ("pack", *session.pack() == row.pack),
        ("pack digest", session.pack_digest() == row.pack_digest),
        ("status", *session.status() == row.status),
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
    let timer = session.next_timer(row.fence, row.progress_at, row.progress_at)?;
    Some(format!("something is due at {timer}, and nobody looks for it"))
}
