//! One agent's folder: `agent.yaml` and `SKILL.md`.

use std::collections::BTreeMap;

use provost_domain::pack::RoleKind;

use crate::error::{PackError, nearest};
use crate::folder::Folder;
use crate::form::Log;
use crate::node::Place;
use crate::prompt;
use crate::raw::RawAgent;
use crate::source::Source;

/// The shared fragments by name.
pub(crate) type Fragments = BTreeMap<String, Source>;

/// An agent that was read.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) manifest: Source,
    /// The start of `agent.yaml`, for what has no place in it.
    pub(crate) start: Place,
    pub(crate) raw: RawAgent,
    /// Whether its form has mistakes: what seems missing may only be broken.
    pub(crate) broken: bool,
    /// The prompt with its fragments.
    pub(crate) prompt: String,
    /// The files the prompt was made from.
    pub(crate) texts: Vec<Source>,
}

/// Reads an agent and puts its prompt together.
pub(crate) fn read(name: String, folder: &mut Folder, fragments: &Fragments) -> Option<Agent> {
    let skill = format!("agents/{name}/SKILL.md");
    let skill = if folder.has(&skill) { folder.read(&skill) } else { None };
    let manifest = folder.read(&format!("agents/{name}/agent.yaml"))?;
    let mut log = Log::new(manifest.path.clone());
    let form = manifest.form::<RawAgent>(&mut log);
    let broken = !log.errors.is_empty();
    folder.errors.append(&mut log.errors);
    let (tree, raw) = form?;

    let mut texts = Vec::new();
    let mut prompt = String::new();
    if let Some(skill) = skill {
        let composed = prompt::compose(&skill, fragments, &mut folder.errors);
        prompt = composed.text;
        texts.push(skill);
        texts.extend(composed.fragments);
    }
    for name in &raw.fragments {
        match fragments.get(name.as_str()) {
            Some(fragment) => {
                prompt.push_str("\n\n");
                prompt.push_str(fragment.text.trim());
                texts.push(fragment.clone());
            }
            None => folder.errors.push(unknown_fragment(&manifest, name.place, name, fragments)),
        }
    }
    if raw.role.value != RoleKind::Watcher && prompt.trim().is_empty() {
        let hint = "write its prompt into SKILL.md beside agent.yaml";
        folder.errors.push(manifest.error(tree.place, format!("agent `{name}` has no prompt"), hint));
    }
    Some(Agent { name, manifest, start: tree.place, raw, broken, prompt, texts })
}

/// The error for a fragment that is not there.
pub(crate) fn unknown_fragment(source: &Source, place: Place, name: &str, fragments: &Fragments) -> PackError {
    source.error(place, format!("no shared fragment `{name}`"), nearest(name, fragments.keys().map(String::as_str)))
}
