//! One agent's folder: `agent.yaml` and `SKILL.md`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use provost_domain::ids::RoleName;
use provost_domain::port::Roles;
use provost_domain::role::RoleSpec;
use provost_domain::work::WorkForm;
use provost_form::{ErrorLog, Position, TextFile, nearest};

use crate::folder::Folder;
use crate::front;
use crate::raw::RawAgent;

/// The shared fragments by name.
pub(crate) type Fragments = BTreeMap<String, TextFile>;

/// An agent that was read.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) name: String,
    /// Its `agent.yaml`.
    pub(crate) path: PathBuf,
    /// Where that begins, for what has no place in it.
    pub(crate) start: Position,
    pub(crate) raw: RawAgent,
    /// Its role; nothing where that could not be read, which was reported.
    pub(crate) role: Option<RoleSpec>,
    /// The prompt with its fragments.
    pub(crate) prompt: String,
    /// The files the prompt was made from.
    pub(crate) texts: Vec<TextFile>,
}

/// Reads an agent and puts its prompt together.
pub(crate) fn read(name: &str, folder: &mut Folder, fragments: &Fragments, roles: &dyn Roles) -> Option<Agent> {
    let skill = folder.find(&format!("agents/{name}/SKILL.md"));
    let manifest = folder.file(&format!("agents/{name}/agent.yaml"))?;
    let mut log = ErrorLog::new(manifest.path.clone());
    let form = manifest.form::<RawAgent>(&mut log);
    let (mut prompt, mut texts) = (String::new(), Vec::new());
    if let Some(skill) = skill {
        prompt.push_str(front::body(&skill, &mut folder.errors, &mut folder.warnings));
        texts.push(skill);
    }
    for name in form.iter().flat_map(|(_, raw)| &raw.fragments).filter(|name| !name.is_blank()) {
        if let Some(fragment) = fragments.get(name.as_str()) {
            prompt.push_str("\n\n");
            prompt.push_str(front::plain(&fragment.text));
            texts.push(fragment.clone());
        } else if !folder.is_unread(&format!("shared/{}.md", name.value)) {
            let hint = nearest(name, fragments.keys().map(String::as_str));
            log.report(name.place, format!("no shared fragment `{}`", name.value), hint);
        }
    }
    let role = form.as_ref().and_then(|(_, raw)| role(raw, roles, &mut log));
    if let Some((tree, _)) = &form {
        let asks_a_model = role.as_ref().is_some_and(|role| role.work == WorkForm::Asking);
        if asks_a_model && prompt.trim().is_empty() && !folder.is_unread(&format!("agents/{name}/SKILL.md")) {
            let hint = "write its prompt into SKILL.md beside agent.yaml";
            log.report(tree.place, format!("agent `{name}` has no prompt"), hint);
        }
    }
    folder.errors.append(&mut log.errors);
    let (tree, raw) = form?;
    Some(Agent { name: name.to_owned(), path: manifest.path, start: tree.place, raw, role, prompt, texts })
}

fn role(raw: &RawAgent, roles: &dyn Roles, log: &mut ErrorLog) -> Option<RoleSpec> {
    if raw.role.is_blank() {
        return None;
    }
    let role = roles.spec(&RoleName::new(raw.role.as_str()));
    if role.is_none() {
        let known = roles.specs();
        let hint = nearest(&raw.role, known.iter().map(|spec| spec.name.as_str()));
        log.report(raw.role.place, format!("no role `{}`", raw.role.value), hint);
    }
    role
}
