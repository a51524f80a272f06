//! The roles, implemented where the behaviours live.

use serde_json::Value;

use crate::citation::Citations;
use crate::ids::{Digest, RoleName};
use crate::pack::{AgentSpec, Pack};
use crate::role::RoleSpec;
use crate::session::Session;
use crate::work::Work;

/// The roles that are there.
pub trait Roles: Send + Sync + std::fmt::Debug {
    /// Every role, by name.
    fn specs(&self) -> Vec<RoleSpec>;

    /// The role of this name.
    fn spec(&self, name: &RoleName) -> Option<RoleSpec> {
        self.specs().into_iter().find(|spec| spec.name == *name)
    }

    /// The briefing: the case, what the others reported, what the role must hand back.
    fn brief(&self, session: &Session, agent: &AgentSpec, pack: &Pack) -> String;

    /// JSON Schema of the role's report, an object; `None` where a model writes none.
    fn report_schema(&self, _role: &RoleName) -> Option<&Value> {
        None
    }

    /// What is wrong with a report, in words for the model; empty when it holds.
    fn problems_of(&self, _report: &Value, _work: &Work, _citations: &Citations<'_>) -> Vec<String> {
        Vec::new()
    }

    /// Identifies the behaviours, so that a session's log says under which it was carried.
    fn digest(&self) -> Digest;
}
