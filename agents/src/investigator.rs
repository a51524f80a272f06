//! Looks for the cause, with evidence.

use crate::Role;

/// See the module.
#[derive(Debug)]
pub(crate) struct Investigator;

impl Role for Investigator {
    fn task(&self) -> &'static str {
        "Find the most likely cause. Read before you conclude, weigh at least one other explanation, and record your hypotheses with the findings tool."
    }

    fn report(&self) -> &'static str {
        "The cause you hold most likely, what speaks against it, and the evidence ids it stands on."
    }
}
