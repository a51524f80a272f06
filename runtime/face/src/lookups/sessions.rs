//! Sessions: lists, and one as it stands.

use provost_domain::access::Permission;
use provost_domain::ids::{Handle, SessionId};
use provost_domain::log::Tombstone;
use provost_domain::port::SessionFilter;
use provost_domain::projection::SessionRow;
use provost_domain::session::Session;
use provost_engine::LogReader;

use super::api::Lookups;
use crate::caller::Caller;
use crate::code::Code;
use crate::error::OperationError;
use crate::view::{Page, ReportView, SessionDetail, SessionView};

/// A session as it stands: its row, and what its log folds to.
#[derive(Debug, Clone)]
pub struct SessionState {
    /// What lists show of it.
    pub row: SessionRow,
    /// What the log folds to.
    pub session: Session,
}

impl SessionState {
    /// As it is shown.
    pub fn detail(&self) -> SessionDetail {
        SessionDetail::new(&self.row, &self.session)
    }

    /// What was found, done and decided.
    pub fn report(&self) -> ReportView {
        ReportView { session: self.detail(), case: self.session.case() }
    }
}

impl Lookups {
    /// The session of this id or handle. It exists.
    ///
    /// # Errors
    /// The caller may not look, nothing has that name, or the store fails: as of every method here.
    pub async fn session_named(&self, caller: &Caller, name: &str) -> Result<SessionId, OperationError> {
        caller.require(Permission::Look)?;
        Ok(match name.parse::<SessionId>() {
            Ok(id) => self.reads().session(id).await?.id,
            Err(_) => self.reads().by_handle(&Handle::new(name)).await?,
        })
    }

    /// A session's row.
    ///
    /// # Errors
    /// See [`Self::session_named`].
    pub async fn row(&self, caller: &Caller, id: SessionId) -> Result<SessionRow, OperationError> {
        caller.require(Permission::Look)?;
        Ok(self.reads().session(id).await?)
    }

    /// Sessions, newest first. The next page is of those before this one's last.
    ///
    /// # Errors
    /// See [`Self::session_named`].
    pub async fn sessions(&self, caller: &Caller, filter: &SessionFilter) -> Result<Page<SessionView>, OperationError> {
        let rows = self.session_rows(caller, filter).await?;
        Ok(Page::up_to(filter.limit, rows.iter().map(SessionView::from).collect(), |last: &SessionView| {
            last.session.clone()
        }))
    }

    /// Sessions as their rows, newest first.
    ///
    /// # Errors
    /// See [`Self::session_named`].
    pub async fn session_rows(
        &self,
        caller: &Caller,
        filter: &SessionFilter,
    ) -> Result<Vec<SessionRow>, OperationError> {
        caller.require(Permission::Look)?;
        Ok(self.reads().sessions(filter).await?)
    }

    /// One session as it stands: its last snapshot, and the events since.
    ///
    /// # Errors
    /// See [`Self::session_named`]; or what it said was erased.
    pub async fn session(&self, caller: &Caller, id: SessionId) -> Result<SessionState, OperationError> {
        caller.require(Permission::Look)?;
        let mut row = self.reads().session(id).await?;
        let mut log = LogReader::from_snapshot(self.reads(), id).await?;
        log.to_end(self.reads()).await?;
        let none = || OperationError::new(Code::NotFound, "the session has no events yet");
        let session = log.into_session().ok_or_else(none)?;
        if row.head_seq < session.head() {
            // It went on in between.
            row = self.reads().session(id).await?;
        }
        Ok(SessionState { row, session })
    }

    /// What is left of an erased session; `None` for any other.
    ///
    /// # Errors
    /// See [`Self::session_named`].
    pub async fn tombstone(&self, caller: &Caller, id: SessionId) -> Result<Option<Tombstone>, OperationError> {
        caller.require(Permission::Look)?;
        Ok(provost_engine::tombstone(self.reads(), id).await?)
    }
}
