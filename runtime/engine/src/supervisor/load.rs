//! Taking a session over, and reading the header its log goes on from.

use provost_domain::ids::{Digest, Seq, SessionId};
use provost_domain::port::{Snapshot, StoreError, TakenOver};
use provost_domain::session::Session;

use crate::parts::EngineParts;
use crate::reader::{LogReader, ReadError};

/// A session taken over.
#[derive(Debug)]
pub(crate) struct LoadedSession {
    /// As the store gave it; its records follow `head`.
    pub(super) taken: TakenOver,
    /// The session as folded up to `head`.
    pub(super) session: Option<Session>,
    /// The last event that is folded, and its record's hash.
    pub(super) head: (Seq, Digest),
    /// The event up to which a snapshot of this version holds it.
    pub(super) snapshot_seq: Seq,
}

/// Takes a session over. A snapshot that cannot be read (another version wrote it) costs only the short way: the whole log
/// tells the same.
pub(super) async fn take_over(shared: &EngineParts, id: SessionId) -> Result<LoadedSession, StoreError> {
    let mut taken = shared.ports.store.take_over(id, &shared.owner).await?;
    let Some(snapshot) = taken.snapshot.take() else {
        return Ok(LoadedSession { taken, session: None, head: (Seq(0), Digest::default()), snapshot_seq: Seq(0) });
    };
    match Session::from_snapshot(&snapshot.header) {
        Ok(session) => {
            let Snapshot { seq, hash, .. } = snapshot;
            Ok(LoadedSession { taken, session: Some(session), head: (seq, hash), snapshot_seq: seq })
        }
        Err(error) => {
            tracing::warn!(session = %id, %error, "the whole log is read instead of its snapshot");
            taken.records = Vec::new();
            let (session, head) = whole(shared, id).await.map_err(|error| unreadable(id, error))?;
            Ok(LoadedSession { taken, session, head, snapshot_seq: Seq(0) })
        }
    }
}

/// What a log that cannot be read means to who carries its session.
pub(super) fn unreadable(id: SessionId, error: ReadError) -> StoreError {
    match error {
        ReadError::Store(error) => error,
        ReadError::Erased(_) => StoreError::Erased { session: id },
        ReadError::Chain(_) | ReadError::Illegal(_) => StoreError::Damaged { detail: format!("session {id}: {error}") },
    }
}

/// Page by page: a log may be long, and many sessions are taken over at once.
async fn whole(shared: &EngineParts, id: SessionId) -> Result<(Option<Session>, (Seq, Digest)), ReadError> {
    let mut log = LogReader::new(id);
    log.to_end(&*shared.ports.reads).await?;
    let head = log.head();
    Ok((log.into_session(), head))
}
