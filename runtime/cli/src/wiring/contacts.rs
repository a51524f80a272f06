//! The section `contacts`: whom questions, gates and notices mean.

use std::collections::BTreeMap;
use std::path::Path;

use provost_domain::access::AccessRole;
use provost_form::{At, FormError, FormErrors, nearest, table, words};
use provost_mail::AttentionConfig;
use provost_tools::ToolsConfig;

words! { pub(crate) struct ContactRole(AccessRole) = AccessRole::Viewer; }

table! {
    /// A contact: a person or a group of them.
    #[derive(Debug, Clone)]
    pub(crate) struct ContactConfig {
        /// The tools by which they are told, all of them.
        pub(crate) send: At<Vec<At<String>>>,
        /// What an answer of theirs needs.
        pub(crate) role: ContactRole,
    }
}

/// All contacts, by name.
pub(crate) type Contacts = BTreeMap<String, ContactConfig>;

/// Refuses a rule that tells nobody, and one that names a contact nobody is.
pub(super) fn check_rules(attention: &AttentionConfig, contacts: &Contacts, file: &Path) -> Result<(), FormErrors> {
    let mut errors = Vec::new();
    for list in attention.contacts() {
        if list.is_empty() {
            errors.push(FormError::at(
                file,
                list.place,
                "no contact is named",
                "write the name of one under `contacts`",
            ));
        }
        for name in list.iter().filter(|name| !contacts.contains_key(&name.value)) {
            let message = format!("no contact is named `{}`", name.value);
            let hint = nearest(name, contacts.keys().map(String::as_str));
            errors.push(FormError::at(file, name.place, message, hint));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(FormErrors::sorted(errors)) }
}

/// Refuses a contact that nobody reaches, and one that is told by a tool that is not configured or that tells nobody.
pub(super) fn check(contacts: &Contacts, tools: &ToolsConfig, file: &Path) -> Result<(), FormErrors> {
    let messengers = tools.messengers();
    let mut errors = Vec::new();
    for (name, contact) in contacts {
        if contact.send.is_empty() {
            let message = format!("the contact `{name}` is reached by nothing");
            errors.push(FormError::at(file, contact.send.place, message, "write `send: [\"notify:TARGET\"]`"));
        }
        for tool in contact.send.iter().filter(|tool| !messengers.contains(&tool.value)) {
            let message = format!("`{}` does not name a tool that tells people", tool.value);
            let hint = nearest(tool, messengers.iter().map(String::as_str));
            errors.push(FormError::at(file, tool.place, message, hint));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(FormErrors::sorted(errors)) }
}
