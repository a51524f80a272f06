//! One agent's folder: `agent.yaml` and `SKILL.md`.

use std::collections::BTreeMap;

use provost_domain::pack::RoleKind;

use crate::error::{PackError, nearest};
use crate::prompt;
use crate::raw::RawAgent;
use crate::source::Source;

/// An agent's files.
#[derive(Debug)]
pub(crate) struct AgentFile {
    pub(crate) name: String,
    pub(crate) manifest: Source,
    pub(crate) prompt: Option<Source>,
}

/// An agent that was read.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) name: String,
    pub(crate) manifest: Source,
    pub(crate) prompt_source: Option<Source>,
    /// The prompt with its fragments.
    pub(crate) prompt: String,
    pub(crate) raw: RawAgent,
}

/// Parses an agent and puts its prompt together.
pub(crate) fn parse(file: AgentFile, fragments: &BTreeMap<String, Source>) -> Result<Agent, Vec<PackError>> {
    let raw: RawAgent = file.manifest.yaml().map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    let mut text = file.prompt.as_ref().map(|source| prompt::body(&source.text).to_owned()).unwrap_or_default();
    for name in &raw.fragments {
        match fragments.get(name) {
            Some(fragment) => {
                text.push_str("\n\n");
                text.push_str(fragment.text.trim());
            }
            None => errors.push(file.manifest.error(
                &["fragments", name],
                format!("no shared fragment `{name}`"),
                nearest(name, fragments.keys().map(String::as_str)),
            )),
        }
    }
    if raw.role != RoleKind::Watcher && text.trim().is_empty() {
        let hint = "write its prompt into SKILL.md beside agent.yaml";
        errors.push(file.manifest.error(&[], format!("agent `{}` has no prompt", file.name), hint));
    }
    if errors.is_empty() {
        Ok(Agent { name: file.name, manifest: file.manifest, prompt_source: file.prompt, prompt: text, raw })
    } else {
        Err(errors)
    }
}
