//! Taking a session over, and reading the header its log goes on from.

use provost_domain::ids::{Seq, SessionId};
use provost_domain::port::{StoreError, TakenOver};
use provost_domain::session::Session;

use crate::shared::Shared;

/// A session taken over.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// As the store gave it; its snapshot is one that could be read.
    pub(super) taken: TakenOver,
    /// The snapshot's header.
    pub(super) session: Option<Session>,
}

/// Takes a session over. A snapshot that cannot be read (another version wrote it) costs only the short way: the whole log
/// tells the same.
pub(super) async fn take_over(shared: &Shared, id: SessionId) -> Result<Loaded, StoreError> {
    let mut taken = shared.ports.store.take_over(id, &shared.owner).await?;
    let session = match taken.snapshot.as_ref().map(|snapshot| Session::from_snapshot(&snapshot.header)) {
        None => None,
        Some(Ok(session)) => Some(session),
        Some(Err(error)) => {
            tracing::warn!(session = %id, %error, "the whole log is read instead of its snapshot");
            let head = taken.row.head_seq;
            taken.snapshot = None;
            taken.records = shared.ports.reads.records(id, Seq(0), u32::MAX).await?;
            taken.records.retain(|record| record.header.first_seq <= head);
            None
        }
    };
    Ok(Loaded { taken, session })
}
