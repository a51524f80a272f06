//! Erasing what closed sessions said: the one way to it, whoever asks.

use std::sync::Arc;

use provost_domain::event::SessionErased;
use provost_domain::ids::{CmdId, Handle, SessionId};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::port::{Erase, Erased, Erasure, SessionRow, StoreError};
use provost_domain::principal::Principal;
use provost_domain::refusal::Refusal;
use tokio::sync::Notify;

use crate::api::Engine;
use crate::error::EngineError;
use crate::hint::Hint;
use crate::reader::{LogReader, ReadError};

/// Longest reason, in bytes.
const REASON_MAX: usize = 1000;

/// Erases sessions of one engine's store. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Eraser {
    engine: Engine,
    erasure: Arc<dyn Erasure>,
    /// Wakes whoever rewrites the files.
    scrub_wanted: Arc<Notify>,
}

/// What becomes of a session whose log cannot be read.
#[derive(Debug, Clone, Copy)]
enum Unreadable {
    Goes,
    Stays,
}

/// A session that was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// Its id.
    pub session: SessionId,
    /// Its handle, which stays.
    pub handle: Handle,
    /// The records whose payload is gone.
    pub records: u64,
}

impl Eraser {
    /// For an engine and the store it stands on.
    pub fn new(engine: Engine, erasure: Arc<dyn Erasure>) -> Self {
        Self { engine, erasure, scrub_wanted: Arc::default() }
    }

    /// Asks for the files to be rewritten soon. Where nobody does that, it is done with the next start.
    pub(crate) fn want_scrub(&self) {
        self.scrub_wanted.notify_one();
    }

    /// Notified when the files are to be rewritten.
    pub(crate) fn scrub_wanted(&self) -> Arc<Notify> {
        Arc::clone(&self.scrub_wanted)
    }

    /// The engine whose sessions it erases.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn erasure(&self) -> &dyn Erasure {
        &*self.erasure
    }

    /// Erases a session that has ended: once it returns, nobody can read what the session said, and its log ends in a
    /// tombstone with these words. Bytes of it may stay in files until [`Self::scrub`].
    ///
    /// # Errors
    /// The reason is empty or too long, or the session is carried right now, has not ended, a call of it is in doubt, its
    /// messages or what came for it still wait, or it was erased before.
    pub async fn erase(&self, session: SessionId, by: &Principal, reason: &str) -> Result<Gone, EngineError> {
        self.erase_known(session, by, reason, Unreadable::Goes).await
    }

    /// Erases for its age alone: a session whose log cannot be read stays, because a person may still learn from it.
    ///
    /// # Errors
    /// See [`Self::erase`]; or the log cannot be read.
    pub async fn expire(&self, session: SessionId, by: &Principal, reason: &str) -> Result<Gone, EngineError> {
        self.erase_known(session, by, reason, Unreadable::Stays).await
    }

    async fn erase_known(
        &self,
        session: SessionId,
        by: &Principal,
        reason: &str,
        unreadable: Unreadable,
    ) -> Result<Gone, EngineError> {
        if reason.trim().is_empty() || reason.len() > REASON_MAX {
            return Err(Refusal::InvalidReason { max: REASON_MAX }.into());
        }
        let shared = self.engine.shared();
        let now = shared.now();
        // Nobody carries it meanwhile; whoever would, finds the tombstone.
        let _guard = shared.registry.try_acquire(session, &by.to_string(), now)?;
        let row = shared.ports.reads.session(session).await?;
        if row.erased_at.is_some() {
            return Err(StoreError::Erased { session }.into());
        }
        if !row.ended {
            return Err(refused(format!("it is `{}`; stop it first, or wait for its end", row.status)));
        }
        self.settled(session, unreadable).await?;
        let tombstone = tombstone(&row, by, reason, shared.salt(), now)?;
        let (head_seq, status) = (tombstone.header.last_seq, row.status);
        let head = (row.head_seq, row.head_hash);
        let erase = Erase { session, fence: row.fence, head, tombstone, at: now };
        match self.erasure.erase(erase).await {
            Ok(Erased::Done { records }) => {
                tracing::info!(%session, handle = %row.handle, %by, records, "a session was erased");
                shared.hint(Hint { session, head_seq, status: Some(status), ended: true });
                Ok(Gone { session, handle: row.handle, records })
            }
            Ok(Erased::Unsent { messages }) => Err(refused(format!(
                "{messages} of its messages wait to be sent; wait until they are sent or have failed"
            ))),
            Err(StoreError::Stale) => {
                Err(refused("something that came for it is being worked on; try again in a moment".to_owned()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The same, and rewrites the files. An erasure that is done stays done when that fails; the second part says why.
    ///
    /// # Errors
    /// See [`Self::erase`].
    pub async fn erase_from_files(
        &self,
        session: SessionId,
        by: &Principal,
        reason: &str,
    ) -> Result<(Gone, Option<StoreError>), EngineError> {
        match self.erase(session, by, reason).await {
            Ok(gone) => Ok((gone, self.scrub().await.err())),
            // Asked again, it finishes what an earlier call could not, or says why it still cannot.
            Err(error @ EngineError::Store(StoreError::Erased { .. })) => {
                self.scrub().await?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Rewrites the store's files where erasures left bytes in them. Takes as long as copying the store, and nothing is
    /// written meanwhile.
    ///
    /// # Errors
    /// The disk is full or somebody reads the files all the time: it is tried again with the next erasure, with the scrub
    /// ticker's next look, and after the next start.
    pub async fn scrub(&self) -> Result<(), StoreError> {
        self.erasure.scrub().await
    }

    /// Refuses while a person has to say whether calls of it happened.
    async fn settled(&self, session: SessionId, unreadable: Unreadable) -> Result<(), EngineError> {
        let mut log = LogReader::new(session);
        match (log.to_end(&**self.engine.reads()).await, unreadable) {
            (Ok(()), _) => {}
            (Err(ReadError::Store(error)), _) if !error.is_damage() => {
                return Err(error.into());
            }
            (Err(error), Unreadable::Stays) => return Err(refused(error.to_string())),
            (Err(error), Unreadable::Goes) => {
                tracing::warn!(%session, %error, "a session is erased whose log cannot be read");
            }
        }
        let doubts = log.session().map_or(0, |session| session.unknown().len());
        if doubts > 0 {
            return Err(refused(format!("nobody knows yet whether {doubts} of its calls happened; settle them first")));
        }
        Ok(())
    }
}

fn refused(why: String) -> EngineError {
    EngineError::Refused(Refusal::NotErasable { why })
}

fn tombstone(
    row: &SessionRow,
    by: &Principal,
    reason: &str,
    salt: [u8; 16],
    at: provost_domain::time::Timestamp,
) -> Result<AppendRecord, StoreError> {
    let erased = SessionErased { by: by.clone(), reason: reason.to_owned(), events: row.head_seq.0 };
    let fence = row.fence.next();
    let sealed = AppendRecord::seal(Unsealed {
        session: row.id,
        after: row.head_seq,
        fence,
        cmd_id: CmdId::new(format!("{fence}.erased")),
        at,
        events: &[erased.into()],
        salt,
        prev: row.head_hash,
    });
    Ok(sealed?)
}
