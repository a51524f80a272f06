//! First look: is the case real, how bad is it, where does it hurt.

use crate::Role;

/// See the module.
#[derive(Debug)]
pub(crate) struct Triage;

impl Role for Triage {
    fn task(&self) -> &'static str {
        "Take a first look at the case. Read what the tools show now, do not rely on what the case says. Say whether the trouble is real and present."
    }

    fn report(&self) -> &'static str {
        "What you saw, with the evidence ids of the tool results it stands on, and the signal your instructions name."
    }
}
