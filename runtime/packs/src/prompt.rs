//! Prompts: front matter, and the linter.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::error::{PackError, nearest};
use crate::source::Source;

/// What looks like a tool: `server:tool` in backticks.
static TOOL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"`([a-z][a-z0-9_]*:[a-z][a-z0-9_]*)`").ok());

/// Words by which a prompt would promise the model what only the runtime does.
const FORBIDDEN: [&str; 4] = ["set the status", "change the status", "skip the gate", "approve it yourself"];

/// The prompt without its front matter.
pub(crate) fn body(text: &str) -> &str {
    let Some(rest) = text.strip_prefix("---\n") else { return text.trim() };
    rest.split_once("\n---\n").map_or(text, |(_, body)| body).trim()
}

/// Tools a prompt names that do not exist or that its agent does not hold, and words it must not use.
pub(crate) fn lint(source: &Source, held: &BTreeSet<&str>, all: &BTreeSet<&str>) -> Vec<PackError> {
    let mut errors = Vec::new();
    let names = TOOL.iter().flat_map(|tool| tool.captures_iter(&source.text)).filter_map(|found| found.get(1));
    for name in names.map(|found| found.as_str()).collect::<BTreeSet<_>>() {
        if !all.contains(name) {
            let hint = nearest(name, all.iter().copied());
            errors.push(source.error(&[name], format!("the prompt names `{name}`, which is no tool"), hint));
        } else if !held.contains(name) {
            let hint = "add it to `tools` in agent.yaml, or take it out of the prompt";
            errors.push(source.error(
                &[name],
                format!("the prompt names `{name}`, which this agent does not hold"),
                hint,
            ));
        }
    }
    let lower = source.text.to_lowercase();
    for word in FORBIDDEN.iter().filter(|word| lower.contains(*word)) {
        let hint = "only the runtime does that; tell the model which tool or signal to use";
        errors.push(source.error(&[word], format!("the prompt says `{word}`"), hint));
    }
    errors
}
