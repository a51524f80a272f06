//! The roles: behaviours in code that a pack's agents map onto. Each is one file and one briefing beside it:
//!
//! | role | may | its work | its report |
//! |---|---|---|---|
//! | [`triage`] | read | a first look | is the trouble real, where does it hurt |
//! | [`investigator`] | read | finds the cause | hypotheses with evidence for and against |
//! | [`resolution`] | act, close the case | one safe step, or the end | which step, what came of it |
//! | [`watcher`] | read | measures, without a model | recovered, not recovered, unknown |
//!
//! A role says what it may do ([`RoleSpec`]); the domain checks that. What is here is a role's own: the assignment as its
//! agents read it, the typed report they hand back, and the checks of that report. A new role is one more file and briefing,
//! and one more line in `ROLES`.

mod briefing;
pub mod investigator;
mod report;
pub mod resolution;
pub mod triage;
pub mod watcher;

use provost_domain::citation::Citations;
use provost_domain::ids::{Digest, RoleName};
use provost_domain::pack::{AgentSpec, Pack};
use provost_domain::port::Roles;
use provost_domain::role::RoleSpec;
use provost_domain::session::Session;
use provost_domain::work::Work;
use serde_json::Value;

use crate::report::{ReportForm, Role};

/// Every role this program knows.
const ROLES: [&dyn Role; 4] =
    [&triage::Triage, &investigator::Investigator, &resolution::Resolution, &watcher::Watcher];

/// The roles this program knows.
#[derive(Debug, Clone, Copy, Default)]
pub struct StandardRoles;

impl StandardRoles {
    fn role(name: &RoleName) -> Option<&'static dyn Role> {
        ROLES.into_iter().find(|role| role.spec().name == *name)
    }
}

impl Roles for StandardRoles {
    fn specs(&self) -> Vec<RoleSpec> {
        ROLES.iter().map(|role| role.spec()).collect()
    }

    fn brief(&self, session: &Session, agent: &AgentSpec, _pack: &Pack) -> String {
        let text = Self::role(&agent.role.name).map_or(briefing::PLAIN, Role::briefing);
        briefing::write(text, session, agent)
    }

    fn report_schema(&self, role: &RoleName) -> Option<&Value> {
        Some(Self::role(role)?.report()?.schema())
    }

    fn problems_of(&self, report: &Value, work: &Work, citations: &Citations<'_>) -> Vec<String> {
        let Some(role) = Self::role(&work.role) else { return Vec::new() };
        let problems = role.report().map(|form| form.problems(report, citations)).unwrap_or_default();
        if problems.is_empty() { role.check(report, work) } else { problems }
    }

    fn digest(&self) -> Digest {
        let parts: Vec<String> = ROLES
            .iter()
            .map(|role| {
                let schema = role.report().map(ReportForm::schema);
                serde_json::json!([role.spec(), role.briefing(), schema]).to_string()
            })
            .collect();
        Digest::of_parts(&parts.iter().map(String::as_bytes).collect::<Vec<_>>())
    }
}
