//! What prompts may say.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use provost_form::{FormError, Position, TextFile, nearest};

/// A name between backticks, with arguments if some follow: `server:tool`, `tool(argument, argument: …)`,
/// `tool {argument: …}`.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"`([a-z][a-z0-9_]*(?::[a-z][a-z0-9_]*)?)(?:\s*(?:\(\s*\{|[({])([^`]*?)(?:\}\s*\)|[)}]))?`").ok()
});
/// An argument's name at the start of an argument.
static ARGUMENT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"^\s*["']?([A-Za-z_][A-Za-z0-9_]*)["']?\s*(?:[:=]|$)"#).ok());
/// Words by which a prompt would promise the model to get past a person.
static FORBIDDEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    any_of(&[r"(?:skip|bypass|ignore|avoid)\s+the\s+(?:gate|approval)", r"approve\s+(?:it|this|that)\s+yourself"])
});
/// Words for what only the runtime does. They may speak of something else, such as the sessions of a database.
static DOUBTFUL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    any_of(&[
        r"(?:set|change)\s+the\s+status",
        r"(?:call|start|invoke)\s+the\s+next\s+agent",
        r"(?:close|end|restart)\s+the\s+session",
    ])
});

fn any_of(words: &[&str]) -> Option<Regex> {
    Regex::new(&format!(r"(?i)\b(?:{})\b", words.join("|"))).ok()
}

/// What a prompt may speak of.
pub(crate) trait PromptTools {
    /// Whether there is a tool of this name.
    fn exists(&self, name: &str) -> bool;
    /// Whether a name may be a tool's that could not be read.
    fn is_unclear(&self, name: &str) -> bool;
    /// Whether the prompt's agent holds it.
    fn holds(&self, name: &str) -> bool;
    /// The arguments of a tool; nothing when they are not known.
    fn arguments(&self, name: &str) -> Option<BTreeSet<&str>>;
    /// Whether the runtime supplies an argument of a tool.
    fn injects(&self, name: &str, argument: &str) -> bool;
    /// Whether a name is nearly a tool's, or begins as those of a server do.
    fn resembles(&self, name: &str) -> bool;
    /// A hint for a name that is not a tool's.
    fn nearest(&self, name: &str) -> String;
}

/// Reports tools and arguments that the prompt's agent does not have, and words that a prompt must not use. Code between
/// backticks that names nothing of ours is a warning: prompts are written for other programs, too.
pub(crate) fn lint(
    source: &TextFile,
    agent: &str,
    tools: &impl PromptTools,
    errors: &mut Vec<FormError>,
    warnings: &mut Vec<FormError>,
) {
    let at = |at: usize, message: String, hint: String| {
        FormError::at(&source.path, Position::of(&source.text, at), message, hint)
    };
    for found in NAME.iter().flat_map(|name| name.captures_iter(&source.text)) {
        let Some(name) = found.get(1) else { continue };
        let (word, arguments) = (name.as_str().replace("__", ":"), found.get(2));
        // A plain word may be a signal or a field, unless it is given arguments.
        if !tools.exists(&word) {
            if word.contains(':') || (arguments.is_some() && !tools.is_unclear(&word)) {
                let message = format!("the prompt names `{word}`, which is not a tool");
                let list = if tools.resembles(&word) { &mut *errors } else { &mut *warnings };
                list.push(at(name.start(), message, tools.nearest(&word)));
            }
            continue;
        }
        if !tools.holds(&word) {
            let message = format!("the prompt names `{word}`, which agent `{agent}` does not hold");
            let hint = "add it to `tools` in agent.yaml, or take it out of the prompt";
            errors.push(at(name.start(), message, hint.to_owned()));
        }
        let Some((arguments, known)) = arguments.zip(tools.arguments(&word)) else { continue };
        for (offset, argument) in argument_names(arguments.as_str()) {
            let place = arguments.start() + offset;
            if tools.injects(&word, argument) {
                let message =
                    format!("the prompt names the argument `{argument}` of `{word}`, which the runtime supplies");
                errors.push(at(place, message, "take it out: the model neither sees it nor may say it".to_owned()));
            } else if !known.contains(argument) {
                let message = format!("the prompt names the argument `{argument}`, which `{word}` does not have");
                errors.push(at(place, message, nearest(argument, known.iter().copied())));
            }
        }
    }
    for (words, list) in [(&FORBIDDEN, errors), (&DOUBTFUL, warnings)] {
        for found in words.iter().flat_map(|words| words.find_iter(&source.text)) {
            let words = found.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
            let hint = "only the runtime does that; tell the model which tool or signal to use";
            list.push(at(found.start(), format!("the prompt says `{words}`"), hint.to_owned()));
        }
    }
}

/// The names of arguments, each with its offset; what stands inside of their values is none.
fn argument_names(arguments: &str) -> Vec<(usize, &str)> {
    let mut names = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, letter) in arguments.char_indices().chain([(arguments.len(), ',')]) {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 || at == arguments.len() => {
                let part = arguments.get(start..at).unwrap_or_default();
                let name = ARGUMENT.as_ref().and_then(|argument| argument.captures(part)?.get(1));
                names.extend(name.map(|name| (start + name.start(), name.as_str())));
                start = at + 1;
            }
            _ => {}
        }
    }
    names
}
