//! The outbox: messages to the outside, and another try at one.

use std::sync::Arc;

use provost_domain::access::Permission;
use provost_domain::ids::MessageId;
use provost_domain::port::{MessageFilter, OutboxReads};
use provost_mail::Outgoing;

use crate::caller::Caller;
use crate::code::Code;
use crate::error::OperationError;
use crate::view::{MessageView, Page};

/// The outbox for callers. Needs only the read side of a store.
#[derive(Debug, Clone)]
pub struct OutboxLookups {
    reads: Arc<dyn OutboxReads>,
}

impl OutboxLookups {
    /// Over the read side of a store.
    pub fn new(reads: Arc<dyn OutboxReads>) -> Self {
        Self { reads }
    }

    /// Messages to the outside, newest first. The next page is of those before this one's last.
    ///
    /// # Errors
    /// The caller may not look, or the store fails.
    pub async fn list(&self, caller: &Caller, filter: &MessageFilter) -> Result<Page<MessageView>, OperationError> {
        caller.require(Permission::Look)?;
        let rows = self.reads.messages(filter).await?;
        let last = rows.last().map(|row| row.seq.to_string()).unwrap_or_default();
        Ok(Page::up_to(filter.limit, rows.iter().map(MessageView::from).collect(), |_| last))
    }
}

/// What callers have done with messages.
#[derive(Debug, Clone)]
pub struct OutboxOperations {
    outgoing: Outgoing,
    lookups: OutboxLookups,
}

impl OutboxOperations {
    /// Over what sends.
    pub fn new(outgoing: Outgoing) -> Self {
        let lookups = OutboxLookups::new(Arc::clone(outgoing.reads()));
        Self { outgoing, lookups }
    }

    /// What callers look up.
    pub fn lookups(&self) -> &OutboxLookups {
        &self.lookups
    }

    /// Sends a message that failed again, under the same key; or one that waits, now.
    ///
    /// # Errors
    /// The caller may not operate, no message has that id, or it was sent.
    pub async fn retry(&self, caller: &Caller, id: &MessageId) -> Result<MessageView, OperationError> {
        caller.require(Permission::Operate)?;
        let row = self.outgoing.again(id).await?;
        let sent = || OperationError::new(Code::NothingToDo, format!("message `{id}` was sent; it is not sent twice"));
        row.as_ref().map(MessageView::from).ok_or_else(sent)
    }
}
