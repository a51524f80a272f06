//! Prompts: front matter, and what they may say.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

use provost_form::{ErrorLog, FormError, Position, Table, TextFile, nearest, parse};

/// A name between backticks, with arguments if some follow: `server:tool`, `tool(argument, argument: …)`,
/// `tool {argument: …}`.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"`([a-z][a-z0-9_]*(?::[a-z][a-z0-9_]*)?)(?:\s*(?:\(\s*\{|[({])([^`]*?)(?:\}\s*\)|[)}]))?`").ok()
});
/// An argument's name at the start of an argument.
static ARGUMENT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"^\s*["']?([A-Za-z_][A-Za-z0-9_]*)["']?\s*(?:[:=]|$)"#).ok());
/// Words by which a prompt would promise the model what only the runtime does.
static FORBIDDEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = [
        r"(?:set|change)\s+the\s+status",
        r"(?:skip|bypass|ignore|avoid)\s+the\s+(?:gate|approval)",
        r"approve\s+(?:it|this|that)\s+yourself",
        r"(?:call|start|invoke)\s+the\s+next\s+agent",
        r"(?:close|end|restart)\s+the\s+session",
    ];
    Regex::new(&format!(r"(?i)\b(?:{})\b", words.join("|"))).ok()
});

/// The keys a `SKILL.md`'s front matter may have. It is for people and other programs; the model does not see it.
const FRONT_MATTER: [&str; 6] = ["name", "description", "license", "compatibility", "metadata", "allowed-tools"];

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
    /// A hint for a name that is not a tool's.
    fn nearest(&self, name: &str) -> String;
}

/// The prompt without its front matter, which is checked.
pub(crate) fn body<'a>(skill: &'a TextFile, errors: &mut Vec<FormError>) -> &'a str {
    let mut lines = skill.text.split_inclusive('\n');
    let mut at = lines.next().map_or(0, str::len);
    if skill.text.get(..at).is_none_or(|line| line.trim_end() != "---") {
        return skill.text.trim();
    }
    let start = at;
    for line in lines {
        if line.trim_end() == "---" {
            let front = skill.text.get(start..at).unwrap_or_default();
            check_front_matter(&skill.path, front, errors);
            return skill.text.get(at + line.len()..).unwrap_or_default().trim();
        }
        at += line.len();
    }
    let message = "the front matter has no end";
    errors.push(FormError::at(&skill.path, Position::of(&skill.text, 0), message, "close it with a line `---`"));
    skill.text.trim()
}

/// The front matter is read behind an empty line that stands for its fence, so that its places are the file's.
fn check_front_matter(path: &Path, front: &str, errors: &mut Vec<FormError>) {
    let mut log = ErrorLog::new(path.to_owned());
    if let Some(tree) = parse(&format!("\n{front}"), &mut log)
        && let Some(table) = Table::open(&tree, &FRONT_MATTER, &mut log)
    {
        for key in ["name", "description"] {
            drop(table.optional::<String>(key, &mut log));
        }
    }
    errors.append(&mut log.errors);
}

/// Reports tools and arguments that the prompt's agent does not have, and words that a prompt must not use.
pub(crate) fn lint(source: &TextFile, agent: &str, tools: &impl PromptTools, errors: &mut Vec<FormError>) {
    let mut report = |at: usize, message: String, hint: String| {
        errors.push(FormError::at(&source.path, Position::of(&source.text, at), message, hint));
    };
    for found in NAME.iter().flat_map(|name| name.captures_iter(&source.text)) {
        let Some(name) = found.get(1) else { continue };
        let (word, arguments) = (name.as_str().replace("__", ":"), found.get(2));
        // A plain word may be a signal or a field, unless it is given arguments.
        if !tools.exists(&word) {
            if word.contains(':') || (arguments.is_some() && !tools.is_unclear(&word)) {
                let message = format!("the prompt names `{word}`, which is not a tool");
                report(name.start(), message, tools.nearest(&word));
            }
            continue;
        }
        if !tools.holds(&word) {
            let message = format!("the prompt names `{word}`, which agent `{agent}` does not hold");
            let hint = "add it to `tools` in agent.yaml, or take it out of the prompt";
            report(name.start(), message, hint.to_owned());
        }
        let Some((arguments, known)) = arguments.zip(tools.arguments(&word)) else { continue };
        for (at, argument) in argument_names(arguments.as_str()) {
            let at = arguments.start() + at;
            if tools.injects(&word, argument) {
                let message =
                    format!("the prompt names the argument `{argument}` of `{word}`, which the runtime supplies");
                report(at, message, "take it out: the model neither sees it nor may say it".to_owned());
            } else if !known.contains(argument) {
                let message = format!("the prompt names the argument `{argument}`, which `{word}` does not have");
                report(at, message, nearest(argument, known.iter().copied()));
            }
        }
    }
    for found in FORBIDDEN.iter().flat_map(|words| words.find_iter(&source.text)) {
        let words = found.as_str().split_whitespace().collect::<Vec<_>>().join(" ");
        let hint = "only the runtime does that; tell the model which tool or signal to use";
        report(found.start(), format!("the prompt says `{words}`"), hint.to_owned());
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
