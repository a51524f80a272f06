//! Commands to sessions.

use provost_domain::access::Permission;
use provost_domain::command::{Answer, Ask, Command};
use provost_domain::decide;
use provost_domain::ids::{ApprovalId, CmdId, Seq, SessionId};
use provost_domain::retry::RetryDecision;
use provost_domain::status::Status;
use provost_engine::EngineError;

use super::api::Operations;
use crate::caller::Caller;
use crate::error::OperationError;
use crate::lookups::SessionState;
use crate::view::AcceptedView;

/// A command to a session.
#[derive(Debug, Clone)]
pub struct CommandRequest {
    /// The command's id: under the same id one to live work is applied once.
    pub cmd_id: CmdId,
    /// The version the caller looked at; refused when the session moved on.
    pub if_version: Option<Seq>,
    /// What is asked.
    pub ask: Ask,
}

impl CommandRequest {
    /// A command with a fresh id, whatever the session's version.
    pub fn fresh(ask: Ask) -> Self {
        Self { cmd_id: Self::fresh_id(), if_version: None, ask }
    }

    /// An id that no command has had.
    pub fn fresh_id() -> CmdId {
        CmdId::new(uuid::Uuid::now_v7().to_string())
    }
}

/// What a command came to.
#[derive(Debug, Clone)]
pub enum Receipt {
    /// It was applied.
    Applied(AcceptedView),
    /// It is stored and will be applied; look at the session for what came of it.
    Stored,
}

impl Operations {
    /// Sends a command and waits for a moment for what comes of it.
    ///
    /// # Errors
    /// The caller may not ask that, the session is busy, or it refuses.
    pub async fn ask(
        &self,
        caller: &Caller,
        session: SessionId,
        request: CommandRequest,
    ) -> Result<Receipt, OperationError> {
        caller.require(request.ask.verb().permission())?;
        let CommandRequest { cmd_id, if_version, ask } = request;
        let command = Command { by: caller.principal.clone(), if_version, ask };
        match self.engine.command(session, &cmd_id, command).await {
            Ok(accepted) => {
                Ok(Receipt::Applied(AcceptedView { session: session.to_string(), version: accepted.version.0 }))
            }
            Err(EngineError::Pending) => Ok(Receipt::Stored),
            Err(error) => Err(error.into()),
        }
    }

    /// What answers an approval, and the session it belongs to.
    ///
    /// # Errors
    /// The caller may not approve, or no approval has that id.
    pub async fn answering(
        &self,
        caller: &Caller,
        approval: ApprovalId,
        (answer, reason): (Answer, Option<String>),
    ) -> Result<(SessionId, Ask), OperationError> {
        caller.require(Permission::Approve)?;
        let session = self.lookups.session_of(caller, &approval).await?;
        Ok((session, Ask::Answer { approval, answer, reason }))
    }

    /// What carrying a session on is: one that was only opened is started.
    ///
    /// # Errors
    /// The caller may not operate, or no session has that id.
    pub async fn carrying_on(&self, caller: &Caller, session: SessionId) -> Result<Ask, OperationError> {
        caller.require(Permission::Operate)?;
        let row = self.lookups.row(caller, session).await?;
        Ok(if row.status == Status::New { Ask::Start } else { Ask::Continue })
    }

    /// What the retry policy would answer.
    ///
    /// # Errors
    /// The caller may not look, or the policy is not asked as the session stands.
    pub fn preview_retry(&self, caller: &Caller, state: &SessionState) -> Result<RetryDecision, OperationError> {
        caller.require(Permission::Look)?;
        Ok(decide::preview_retry(&state.session, self.engine.pack_of(&state.session).as_deref())?)
    }
}
