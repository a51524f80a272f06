//! Who is told by what.

use std::collections::BTreeMap;

use provost_domain::access::AccessRole;
use provost_domain::attention::AttentionRules;
use provost_domain::ids::ToolName;

/// Whom the rules name, and how they are told. A reload replaces all of it.
#[derive(Debug, Clone, Default)]
pub struct AttentionSettings {
    /// Whom which need is told.
    pub rules: AttentionRules,
    /// The contacts, by name.
    pub contacts: BTreeMap<String, ContactTargets>,
    /// The address by which people reach the page, without a slash at its end.
    pub page: Option<String>,
}

/// How one contact is told.
#[derive(Debug, Clone)]
pub struct ContactTargets {
    /// The targets that get each message.
    pub send: Vec<ToolName>,
    /// What an answer of theirs needs.
    pub role: AccessRole,
}
