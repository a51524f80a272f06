//! Proposes the fix, and closes the case.

use crate::Role;

/// See the module.
#[derive(Debug)]
pub(crate) struct Resolution;

impl Role for Resolution {
    fn task(&self) -> &'static str {
        "Choose the smallest safe step that removes the cause, or close the case with a terminal tool when its conditions are met. A call that waits for a person is normal: what the person answers is final."
    }

    fn report(&self) -> &'static str {
        "What you did and what is left, with the signal your instructions name; or a terminal tool call."
    }
}
