//! Opening sessions.

use provost_domain::access::Permission;
use provost_domain::ids::{PackName, SessionId};
use provost_domain::origin::CaseOrigin;
use provost_domain::title::TITLE_MAX;
use provost_engine::Case;
use serde_json::Value;

use super::api::Operations;
use crate::caller::Caller;
use crate::error::OperationError;
use crate::view::SessionView;

/// A case to open as a session.
#[derive(Debug, Clone)]
pub struct CaseRequest {
    /// The session's id: a fresh one, or one derived from a key under which the request may come again.
    pub id: SessionId,
    /// Whether the request may be a repetition: then a session that is there is the answer.
    pub repeatable: bool,
    /// The pack's name.
    pub pack: PackName,
    /// The session's fields.
    pub fields: Value,
    /// One line about it; otherwise what the pack says, or the pack's name. What is over 200 characters is cut off.
    pub title: Option<String>,
    /// What its delivery says of it besides the fields.
    pub origin: CaseOrigin,
    /// Whether its run begins at once.
    pub start: bool,
}

impl CaseRequest {
    /// A session with a fresh id.
    pub fn fresh_id() -> SessionId {
        SessionId::new(uuid::Uuid::now_v7())
    }
}

impl Operations {
    /// Opens a session: once it returns, the session is durable.
    ///
    /// # Errors
    /// The caller may not operate; no pack of that name is loaded, the fields do not fit it, or as many sessions are live as
    /// may be.
    pub async fn open(&self, caller: &Caller, request: CaseRequest) -> Result<SessionView, OperationError> {
        caller.require(Permission::Operate)?;
        let CaseRequest { id, repeatable, pack, fields, title, origin, start } = request;
        let reads = self.engine.reads();
        // A request repeated after a crash finds the session its first try opened.
        if repeatable && let Ok(row) = reads.session(id).await {
            return Ok(SessionView::from(&row));
        }
        let title = title.unwrap_or_default().chars().take(TITLE_MAX).collect();
        let by = caller.principal.clone();
        self.engine.open(Case { id, title, pack, fields, by, parent: None, origin, start }).await?;
        Ok(SessionView::from(&reads.session(id).await?))
    }
}
