//! What a session said, gone for good.

use provost_domain::access::Permission;
use provost_domain::ids::SessionId;
use tokio_util::task::TaskTracker;

use super::api::Operations;
use crate::caller::Caller;
use crate::code::Code;
use crate::error::OperationError;
use crate::view::GoneView;

impl Operations {
    /// Erases what a session that has ended said, from the store and its files. In a task of its own: a caller that hangs up
    /// leaves nothing half done.
    ///
    /// # Errors
    /// The caller may not administer, or the session cannot be erased now.
    pub async fn erase(&self, caller: &Caller, session: SessionId, reason: String) -> Result<GoneView, OperationError> {
        caller.require(Permission::Administer)?;
        let (eraser, by) = (self.eraser.clone(), caller.principal.clone());
        let work = TaskTracker::new().spawn(async move { eraser.erase_from_files(session, &by, &reason).await });
        let done = work.await;
        let (gone, left) =
            done.map_err(|error| OperationError::new(Code::Internal, format!("erasing broke off: {error}")))??;
        let left = left.map(|error| error.to_string());
        Ok(GoneView {
            session: gone.session.to_string(),
            handle: gone.handle.to_string(),
            records: gone.records,
            scrubbed: left.is_none(),
            left,
        })
    }
}
