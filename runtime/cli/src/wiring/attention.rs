//! Whom people's attention is asked for, from the configuration.

use provost_domain::ids::ToolName;
use provost_mail::{AttentionSettings, ContactTargets};

use super::config::Configuration;
use super::contacts::ContactConfig;

/// Who is told of what, and by what.
pub(crate) fn attention(config: &Configuration) -> AttentionSettings {
    let targets = |contact: &ContactConfig| ContactTargets {
        send: contact.send.iter().map(|tool| ToolName::new(&tool.value)).collect(),
        role: contact.role.0,
    };
    AttentionSettings {
        rules: config.attention.rules(),
        contacts: config.contacts.iter().map(|(name, contact)| (name.clone(), targets(contact))).collect(),
        page: config.attention.page.as_ref().map(|page| page.0.clone()),
    }
}
