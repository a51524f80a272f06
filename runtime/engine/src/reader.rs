//! Reading a session's log from the store: verified as part of its chain, folded on the way.

use provost_domain::event::Event;
use provost_domain::ids::{Digest, Seq, SessionId};
use provost_domain::log::{AppendRecord, ChainError, Tombstone};
use provost_domain::port::{Reads, Snapshot, StoreError};
use provost_domain::session::{IllegalEvent, Session};

/// Appends read at once: enough for one trip, few enough that nothing large waits in memory.
const PAGE: u32 = 200;

/// Why a log could not be read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The store failed, or does not know the session.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What it said is gone for good.
    #[error("the session was {0}")]
    Erased(Box<Tombstone>),
    /// A record was changed, or does not follow the one before.
    #[error("the log does not hold together: {0}; keep the file and run `provost audit verify`")]
    Chain(#[from] ChainError),
    /// An event that cannot follow the ones before it.
    #[error("the log holds an event that cannot be: {0}; keep the file and run `provost audit verify`")]
    Illegal(#[from] IllegalEvent),
}

/// What an erased session's log ends in; `None` where it ends in anything else.
///
/// # Errors
/// The store fails.
pub async fn tombstone(reads: &dyn Reads, id: SessionId) -> Result<Option<Tombstone>, StoreError> {
    let head = reads.session(id).await?.head_seq;
    let last = reads.records(id, Seq(head.0.saturating_sub(1)), 1).await?;
    Ok(last.first().and_then(Tombstone::of))
}

/// A session's events from a position on.
#[derive(Debug, Clone)]
pub struct Tail {
    id: SessionId,
    after: Seq,
    /// The last append read and its hash; before the first one, the record itself says what it follows.
    last: Option<(Seq, Digest)>,
}

impl Tail {
    /// The events after `after`.
    pub fn new(id: SessionId, after: Seq) -> Self {
        Self { id, after, last: (after == Seq(0)).then(|| (after, Digest::default())) }
    }

    /// The session.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The position read up to.
    pub fn position(&self) -> Seq {
        self.after
    }

    /// The next events, of at most one page of appends; none at the log's present end.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn next(&mut self, reads: &dyn Reads) -> Result<Vec<Event>, ReadError> {
        self.next_of(reads, PAGE).await
    }

    /// The next events, of at most so many appends: for readers who hand them on slowly.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn next_of(&mut self, reads: &dyn Reads, appends: u32) -> Result<Vec<Event>, ReadError> {
        let records = reads.records(self.id, self.after, appends).await?;
        match self.take(records) {
            Err(error @ ReadError::Chain(ChainError::Erased { .. })) => match tombstone(reads, self.id).await? {
                Some(tombstone) => Err(ReadError::Erased(Box::new(tombstone))),
                None => Err(error),
            },
            taken => taken,
        }
    }

    /// The events of records that follow what was read so far.
    ///
    /// # Errors
    /// The records do not belong to this chain.
    pub fn take(&mut self, records: Vec<AppendRecord>) -> Result<Vec<Event>, ReadError> {
        let mut events = Vec::new();
        for record in records {
            let before = || (Seq(record.header.first_seq.0.saturating_sub(1)), record.prev);
            let (seq, hash) = self.last.unwrap_or_else(before);
            events.extend(record.open(seq, hash)?.into_iter().filter(|event| event.seq > self.after));
            self.after = record.header.last_seq;
            self.last = Some((self.after, record.hash));
        }
        Ok(events)
    }
}

/// A reader that has folded a session's log so far.
#[derive(Debug, Clone)]
pub struct LogReader {
    tail: Tail,
    session: Option<Session>,
}

impl LogReader {
    /// The session.
    pub fn id(&self) -> SessionId {
        self.tail.id
    }

    /// At the beginning of a session's log.
    pub fn new(id: SessionId) -> Self {
        Self { tail: Tail::new(id, Seq(0)), session: None }
    }

    /// At a session's last snapshot, or at the beginning of its log where it has none that this version reads: the whole
    /// log tells the same.
    ///
    /// # Errors
    /// The store fails.
    pub async fn from_snapshot(reads: &dyn Reads, id: SessionId) -> Result<Self, ReadError> {
        let Some(Snapshot { seq, hash, header }) = reads.snapshot(id).await? else { return Ok(Self::new(id)) };
        match Session::from_snapshot(&header) {
            Ok(session) => {
                let tail = Tail { id, after: seq, last: Some((seq, hash)) };
                Ok(Self { tail, session: Some(session) })
            }
            Err(error) => {
                tracing::debug!(session = %id, %error, "the whole log is read instead of its snapshot");
                Ok(Self::new(id))
            }
        }
    }

    /// The session as folded so far; `None` before its first event.
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// What a session's events fold to, from its first one on; `None` without any.
    ///
    /// # Errors
    /// They cannot follow each other.
    pub fn folded(events: &[Event]) -> Result<Option<Session>, ReadError> {
        let mut session = None;
        for event in events {
            Session::advance(&mut session, event)?;
        }
        Ok(session)
    }

    /// The next events, folded; none at the log's present end.
    ///
    /// # Errors
    /// See [`ReadError`]. What was read before stays folded.
    pub async fn next(&mut self, reads: &dyn Reads) -> Result<Vec<Event>, ReadError> {
        let events = self.tail.next(reads).await?;
        self.fold(events)
    }

    /// The last event read, and its record's hash.
    pub fn head(&self) -> (Seq, Digest) {
        self.tail.last.unwrap_or_default()
    }

    /// The session as folded so far.
    pub fn into_session(self) -> Option<Session> {
        self.session
    }

    /// The position read up to.
    pub fn position(&self) -> Seq {
        self.tail.after
    }

    /// The events of records that came from elsewhere and follow what was read so far, folded.
    ///
    /// # Errors
    /// See [`Self::next`].
    pub fn take(&mut self, records: Vec<AppendRecord>) -> Result<Vec<Event>, ReadError> {
        let events = self.tail.take(records)?;
        self.fold(events)
    }

    fn fold(&mut self, events: Vec<Event>) -> Result<Vec<Event>, ReadError> {
        for event in &events {
            Session::advance(&mut self.session, event)?;
        }
        Ok(events)
    }

    /// Reads to the log's present end and drops the events.
    ///
    /// # Errors
    /// See [`Self::next`].
    pub async fn to_end(&mut self, reads: &dyn Reads) -> Result<(), ReadError> {
        while !self.next(reads).await?.is_empty() {}
        Ok(())
    }
}
