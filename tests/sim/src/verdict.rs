//! What must hold once nothing fails any more and everything has come to rest.

use std::time::Duration;

use provost_domain::ids::{Digest, Owner, Seq, SessionId};
use provost_domain::invariant;
use provost_domain::port::{
    ApprovalFilter, Clock as _, CommandLog as _, OutboxReads as _, Reads as _, SessionRow, SessionStore as _,
    StoreError,
};
use provost_domain::session::Session;
use provost_domain::status::Status;

use crate::erasure;
use crate::world::World;

/// How much later than it may a session goes by age: looks are a minute apart, and vary.
const RETENTION_LATE: Duration = Duration::from_secs(150);

/// Whether nothing runs, nothing is unread, no timer is set and nothing waits to be sent.
pub(crate) async fn is_quiet(world: &World) -> bool {
    if !world.ledger.store().queued().await.is_ok_and(|queued| queued.is_empty()) {
        return false;
    }
    for id in world.ledger.ids() {
        let Ok(row) = world.ledger.session(id).await else { return false };
        let unread = world.ledger.inbox(id).await.map_or(true, |(unread, _)| !unread.is_empty());
        if row.owner.is_some() || row.next_run_at.is_some() || unread {
            return false;
        }
    }
    true
}

/// Everything that is wrong with the world at rest.
pub(crate) async fn judge(world: &World) -> Result<(), StoreError> {
    for problem in world.ledger.lost().await {
        world.trace.problem(problem);
    }
    let nobody = Owner::new("nobody");
    for found in world.ledger.runnable(&nobody, world.clock.now(), 100).await? {
        world.trace.problem(format!("{}: still to be carried on", found.session));
    }
    for (id, call) in world.ledger.notices() {
        let deed = world.deeds.of(id, &call);
        if deed.times == 0 && !deed.refused {
            world.trace.problem(format!("{id}: the notice of {call} was durable, and never arrived"));
        }
    }
    for id in erasure::left_behind(world) {
        world.trace.problem(format!("{id}: it was erased, and the store still holds its words"));
    }
    for id in world.ledger.ids() {
        for problem in session(world, id).await? {
            world.trace.problem(format!("{id}: {problem}"));
        }
    }
    Ok(())
}

async fn session(world: &World, id: SessionId) -> Result<Vec<String>, StoreError> {
    let row = world.ledger.session(id).await?;
    let records = world.ledger.records(id, Seq(0), u32::MAX).await?;
    let mut problems = invariant::check(&records, row.head_seq, row.head_hash);
    let Some(folded) = world.ledger.folded(id) else {
        problems.push("a row without a log".to_owned());
        return Ok(problems);
    };
    if world.ledger.is_erased(id) {
        return Ok(problems);
    }
    if let Some(age) = world.kept_for
        && row.ended
        && folded.unknown().is_empty()
        && row.progress_at.plus(age + RETENTION_LATE) < world.clock.now()
    {
        problems.push(format!("it ended at {}, is kept for {age:?}, and is there still", row.progress_at));
    }
    let (unread, _) = world.ledger.inbox(id).await?;
    if !unread.is_empty() {
        problems.push(format!("{} commands are unread", unread.len()));
    }
    problems.extend(rest(&row, &folded));
    let filter = ApprovalFilter { session: Some(id), pending_only: true, limit: 500, ..ApprovalFilter::default() };
    let pending = world.ledger.approvals(&filter).await?.len();
    if pending != folded.approvals().len() {
        problems.push(format!("{pending} approvals are listed, {} are pending", folded.approvals().len()));
    }
    if snapshot_differs(world, id, &folded).await? {
        problems.push("its snapshot and the appends after it do not fold to what its log folds to".to_owned());
    }
    Ok(problems)
}

/// Closed, or waiting for somebody who can wake it.
fn rest(row: &SessionRow, folded: &Session) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(owner) = &row.owner {
        problems.push(format!("it is still held, by {owner}"));
    }
    if row.status != *folded.status() || row.ended != folded.status().is_end() {
        problems.push(format!("its row says {}, its log {}", row.status, folded.status()));
    }
    let waits = !folded.waits().is_empty();
    match &row.status {
        Status::InProgress => problems.push("it is in progress and nobody carries it".to_owned()),
        Status::AwaitingInput if !waits => problems.push("it waits for nothing".to_owned()),
        Status::New
        | Status::AwaitingInput
        | Status::Outcome(_)
        | Status::Stopped
        | Status::NeedsReview
        | Status::Error => {}
    }
    problems
}

/// Taking it over must give what the whole log gives.
async fn snapshot_differs(world: &World, id: SessionId, folded: &Session) -> Result<bool, StoreError> {
    let taken = world.ledger.store().take_over(id, &Owner::new("auditor")).await?;
    let Some(snapshot) = taken.snapshot else { return Ok(false) };
    let Ok(mut session) = Session::from_snapshot(&snapshot.header) else { return Ok(true) };
    let mut head = (snapshot.seq, snapshot.hash);
    for record in &taken.records {
        let Ok(events) = record.open(head.0, head.1) else { return Ok(true) };
        if events.iter().any(|event| session.apply(event).is_err()) {
            return Ok(true);
        }
        head = (record.header.last_seq, record.hash);
    }
    Ok(session != *folded)
}

/// A digest of all that a simulation came to: logs with ids and salts, rows, approvals, outcomes and effects.
pub(crate) async fn digest(world: &World) -> Result<Digest, StoreError> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for id in world.ledger.ids() {
        let row = world.ledger.session(id).await?;
        parts.push(format!("{row:?}").into_bytes());
        let filter = ApprovalFilter { session: Some(id), pending_only: false, limit: 500, ..ApprovalFilter::default() };
        parts.push(format!("{:?}", world.ledger.approvals(&filter).await?).into_bytes());
        for record in world.ledger.records(id, Seq(0), u32::MAX).await? {
            parts.push(record.hash.as_bytes().to_vec());
        }
    }
    for deed in world.deeds.all().values() {
        parts.push(format!("{deed:?}").into_bytes());
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Ok(Digest::of_parts(&parts))
}
