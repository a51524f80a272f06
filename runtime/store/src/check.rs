//! What an append must fulfil before any store looks at its session: a broken one is the caller's bug, never a race.

use provost_domain::ids::{Digest, Seq};
use provost_domain::log::Tombstone;
use provost_domain::port::{Append, ApprovalChange, Erase, ImportedSession, NewSession, SessionRow, StoreError};

/// Refuses a new session whose first append is not its own or not the first.
pub(crate) fn new(new: &NewSession) -> Result<(), StoreError> {
    let Some(first) = &new.first else { return Ok(()) };
    require(first.session == new.id, "it is another session's first")?;
    require(first.expected_seq == Seq(0) && first.record.is_some(), "it does not begin the log")?;
    require(first.record.as_ref().is_none_or(|record| record.prev == Digest::default()), "it follows something")?;
    append(first)
}

/// Refuses an append whose parts contradict each other. Nothing was written when it does.
pub(crate) fn append(append: &Append) -> Result<(), StoreError> {
    let head = head_after(append);
    if let Some(record) = &append.record {
        let header = &record.header;
        require(header.session == append.session, "its record belongs to another session")?;
        require(header.fence == append.fence, "its record carries another fence")?;
        require(header.first_seq == append.expected_seq.next(), "its record does not follow the expected head")?;
        require(header.last_seq >= header.first_seq, "its record holds no event")?;
        require(record.payload.is_some() && record.salt.is_some(), "its record is erased")?;
    }
    require(append.snapshot.as_ref().is_none_or(|s| s.seq <= head), "its snapshot is ahead of the log")?;
    let own = |change: &ApprovalChange| match change {
        ApprovalChange::Asked(row) => row.session == append.session,
        ApprovalChange::Extended { .. } | ApprovalChange::Decided { .. } => true,
    };
    require(append.approvals.iter().all(own), "an approval is another session's")?;
    require(append.contents.iter().all(|c| Digest::of(&c.bytes) == c.digest), "a content does not match its digest")
}

/// Refuses an imported session that is not at rest, or whose log is not its own. Whether the log holds is its reader's to
/// say.
pub(crate) fn imported(session: &ImportedSession) -> Result<(), StoreError> {
    let SessionRow { id, owner, next_run_at, wake_seq, erased_at, .. } = &session.row;
    let rests = owner.is_none() && next_run_at.is_none() && *wake_seq == 0 && erased_at.is_none();
    require(rests, "it is not at rest")?;
    let last = session.appends.last().map(|append| (append.record.header.last_seq, append.record.hash));
    require(last == Some((session.row.head_seq, session.row.head_hash)), "its log does not end at its head")?;
    require(session.appends.iter().all(|append| append.record.header.session == *id), "a record is another session's")?;
    require(session.snapshot.seq <= session.row.head_seq, "its snapshot is ahead of the log")
}

/// Refuses a tombstone that does not end the log it is for.
pub(crate) fn tombstone(erase: &Erase) -> Result<(), StoreError> {
    let (record, (head, hash)) = (&erase.tombstone, erase.head);
    require(record.header.session == erase.session, "its record belongs to another session")?;
    require(record.header.fence > erase.fence, "its record does not carry a new fence")?;
    require(record.verify(head, hash).is_ok(), "its record does not follow the expected head")?;
    require(Tombstone::of(record).is_some(), "its record is not a tombstone")
}

/// The log's head once the append is written.
pub(crate) fn head_after(append: &Append) -> Seq {
    append.record.as_ref().map_or(append.expected_seq, |record| record.header.last_seq)
}

fn require(holds: bool, broken: &str) -> Result<(), StoreError> {
    if holds {
        return Ok(());
    }
    Err(StoreError::Failed { detail: format!("the append contradicts itself ({broken}); report this as a bug") })
}
