//! Taking a session over: its log is folded, and the large values that its open turns name are read.

use provost_domain::ids::{Digest, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::port::{Snapshot, StoreError, TakenOver};
use provost_domain::session::Session;
use provost_domain::tool::Contents;

use crate::parts::EngineParts;
use crate::reader::{LogReader, ReadError};

/// A session taken over.
#[derive(Debug)]
pub(crate) struct LoadedSession {
    /// As the store gave it; its records are folded.
    pub(super) taken: TakenOver,
    /// The session as its log says.
    pub(super) session: Option<Session>,
    /// The last event that is folded, and its record's hash.
    pub(super) head: (Seq, Digest),
    /// The event up to which a snapshot of this version holds it.
    pub(super) snapshot_seq: Seq,
    /// The large values that its open turns name.
    pub(super) contents: Contents,
}

/// Takes a session over.
pub(super) async fn take_over(shared: &EngineParts, id: SessionId) -> Result<LoadedSession, StoreError> {
    let mut loaded = header(shared, id).await?;
    for record in std::mem::take(&mut loaded.taken.records) {
        loaded.head = fold(&mut loaded.session, &record, loaded.head).map_err(|error| unreadable(id, error))?;
    }
    if let Some(session) = &loaded.session {
        loaded.contents = contents(shared, session).await?;
    }
    Ok(loaded)
}

fn fold(session: &mut Option<Session>, record: &AppendRecord, head: (Seq, Digest)) -> Result<(Seq, Digest), ReadError> {
    for event in record.open(head.0, head.1)? {
        Session::advance(session, &event)?;
    }
    Ok((record.header.last_seq, record.hash))
}

/// One that cannot be read costs the question that needs it, not the session: its question then fails and says so.
async fn contents(shared: &EngineParts, session: &Session) -> Result<Contents, StoreError> {
    let mut contents = Contents::default();
    for digest in session.contents_named() {
        let unreadable = match shared.ports.reads.content(digest).await {
            Ok(bytes) => contents.add(digest, &bytes).err().map(|error| error.to_string()),
            Err(error @ (StoreError::Missing { .. } | StoreError::Erased { .. } | StoreError::Damaged { .. })) => {
                Some(error.to_string())
            }
            Err(error) => return Err(error),
        };
        if let Some(error) = unreadable {
            tracing::error!(session = %session.id(), %digest, %error, "a large value that the session names is lost");
        }
    }
    Ok(contents)
}

/// The session's last header, with the records after it. A snapshot that cannot be read (another version wrote it) costs
/// only the short way: the whole log tells the same.
async fn header(shared: &EngineParts, id: SessionId) -> Result<LoadedSession, StoreError> {
    let mut taken = shared.ports.store.take_over(id, &shared.owner).await?;
    let Some(snapshot) = taken.snapshot.take() else {
        let (head, contents) = ((Seq(0), Digest::default()), Contents::default());
        return Ok(LoadedSession { taken, session: None, head, snapshot_seq: Seq(0), contents });
    };
    match Session::from_snapshot(&snapshot.header) {
        Ok(session) => {
            let Snapshot { seq, hash, .. } = snapshot;
            let (head, contents) = ((seq, hash), Contents::default());
            Ok(LoadedSession { taken, session: Some(session), head, snapshot_seq: seq, contents })
        }
        Err(error) => {
            tracing::warn!(session = %id, %error, "the whole log is read instead of its snapshot");
            taken.records = Vec::new();
            let (session, head) = whole(shared, id).await.map_err(|error| unreadable(id, error))?;
            Ok(LoadedSession { taken, session, head, snapshot_seq: Seq(0), contents: Contents::default() })
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
