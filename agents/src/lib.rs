//! The roles: behaviours in code that a pack's agents map onto.
//!
//! A role's *authority* is data the runtime checks ([`provost_domain::pack::RoleKind::may_act`]: triage and investigator
//! read, resolution acts, the watcher measures). What is here is a role's *work*: the typed assignment it is given, told as
//! a briefing, and the typed report it must hand back.

mod briefing;
mod investigator;
mod resolution;
mod triage;
mod watcher;

use provost_domain::pack::{AgentSpec, Pack, RoleKind};
use provost_domain::request::Roles;
use provost_domain::session::Session;

/// A role in code.
trait Role {
    /// What this role is asked to do with the case, in one paragraph.
    fn task(&self) -> &'static str;

    /// What it must hand back.
    fn report(&self) -> &'static str;
}

/// The roles this program knows.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandardRoles;

impl Roles for StandardRoles {
    fn brief(&self, session: &Session, agent: &AgentSpec, _pack: &Pack) -> String {
        match agent.role {
            RoleKind::Triage => briefing::write(&triage::Triage, session, agent),
            RoleKind::Investigator => briefing::write(&investigator::Investigator, session, agent),
            RoleKind::Resolution => briefing::write(&resolution::Resolution, session, agent),
            RoleKind::Watcher => briefing::write(&watcher::Watcher, session, agent),
        }
    }
}
