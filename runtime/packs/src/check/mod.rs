//! What the files mean together: every name must lead somewhere. Nothing here reads a file; every error has its place from the
//! tree. What stands in for something unreadable is passed over: its error was reported.

mod agent;
mod claiming;
mod condition;
mod facts;
mod flow;
mod gates;
mod measures;
mod offers;
mod reading;
mod scopes;
mod target;
mod tools;
mod watch;

use provost_expr::Scope;
use provost_form::{ErrorLog, FormError};

pub(crate) use self::agent::DEFAULT_MODEL;
pub(crate) use self::facts::{PackFacts, is_plain};
pub(crate) use self::flow::END;
pub(crate) use self::offers::offers;

/// The names that expressions about a session of the pack read, whatever their place.
pub(crate) fn session_scope(facts: PackFacts<'_>) -> Scope {
    facts.common()
}

/// Checks the pack and each agent; the log is the manifest's. Prompts may also be warned about.
pub(crate) fn all(facts: PackFacts<'_>, log: &mut ErrorLog, warnings: &mut Vec<FormError>) -> Vec<FormError> {
    flow::check(facts, log);
    tools::check(facts, log);
    gates::check(facts, log);
    target::check(facts, log);
    let mut errors = Vec::new();
    for agent in facts.agents {
        let mut log = ErrorLog::new(agent.path.clone());
        agent::check(facts, agent, &mut log, warnings);
        target::agent(facts, agent, &mut log);
        errors.append(&mut log.errors);
    }
    errors
}
