//! Roles: the behaviours in code that a pack's agents map onto. The domain knows them by an open name, with what they may do
//! and which kind of work they do; how a role briefs its agents and checks their reports is the role's own.

use serde::{Deserialize, Serialize};

use crate::ids::RoleName;
use crate::tool::EffectClass;
use crate::work::WorkForm;

/// What an agent of a role may do. Each step includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authority {
    /// Look, and record findings.
    Reads,
    /// Change the world.
    Acts,
    /// Close the case with a terminal tool.
    Closes,
}

impl Authority {
    /// Whether it may hold a tool of this effect class.
    pub const fn allows(self, effect: EffectClass) -> bool {
        match effect {
            EffectClass::Read => true,
            EffectClass::Idempotent | EffectClass::Probe | EffectClass::Unsafe => self.acts(),
        }
    }

    /// Whether it may change the world.
    pub const fn acts(self) -> bool {
        match self {
            Self::Reads => false,
            Self::Acts | Self::Closes => true,
        }
    }

    /// Whether it may hold a terminal tool.
    pub const fn closes(self) -> bool {
        match self {
            Self::Reads | Self::Acts => false,
            Self::Closes => true,
        }
    }
}

/// What the runtime must know of a role.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RoleSpec {
    /// The name by which packs refer to the role.
    pub name: RoleName,
    /// What its agents may do.
    pub authority: Authority,
    /// Which kind of work an assignment of it is.
    pub work: WorkForm,
}
