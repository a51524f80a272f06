//! What kind of news an event is: a word of each kind's entry in the list.

use super::kinds::EventBody;

/// What an event says of the work that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventNews {
    /// The work goes on.
    Progress,
    /// The same work starts again, which a session that ends its processes does for ever.
    Again,
    /// Somebody beside the worker said something: it may be silent all the same.
    Outside,
    /// The runtime noted something beside the work: that is not a sign of life.
    Note,
}

impl EventBody {
    /// Whether it shows that the worker of the open assignment is alive. What others say does not.
    pub(crate) fn is_activity(&self) -> bool {
        match self.news() {
            EventNews::Progress | EventNews::Again => true,
            EventNews::Outside | EventNews::Note => false,
        }
    }

    /// Whether it is more than starting the same work again.
    pub fn is_progress(&self) -> bool {
        match self.news() {
            EventNews::Progress | EventNews::Outside => true,
            EventNews::Again | EventNews::Note => false,
        }
    }
}
