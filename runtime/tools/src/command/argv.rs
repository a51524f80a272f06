//! The key `argv`: a program and its arguments, each an element of a list. There is no shell: a value never becomes a second
//! argument, an option, or a step out of a folder.

use provost_expr::{EscapedTemplate, FillError, Scope, Syntax};
use provost_form::{At, ErrorLog, FromYaml as _, NodeKind, YamlNode};
use serde_json::Value;

use crate::holes::{absent, mistake, mistakes};

/// Most elements, those inside of groups counted singly.
const ELEMENTS_MAX: usize = 64;
/// Most bytes of all arguments together; the machine takes about this many.
const BYTES_MAX: usize = 96 * 1024;
const HINT: &str = "write a list: [kubectl, get, pods, --namespace, \"{{ args.namespace }}\"]";

/// One argument with its holes.
#[derive(Debug, Clone)]
struct ArgumentText {
    text: EscapedTemplate,
    /// Whether a hole of it may be without a value.
    optional: bool,
}

/// A program and its arguments.
#[derive(Debug, Clone)]
pub(super) struct Argv {
    program: String,
    /// Each left out as a whole where a value is absent.
    groups: Vec<Vec<ArgumentText>>,
}

impl Argv {
    pub(super) fn read(node: &YamlNode, scope: &Scope, log: &mut ErrorLog) -> Option<Self> {
        if !node.is_list() {
            log.expected("a list of arguments", node, HINT);
            return None;
        }
        let Some((program, rest)) = node.items().split_first() else {
            log.report(node.place, "no program is named", HINT);
            return None;
        };
        let program = program_name(program, log);
        let groups: Vec<Option<Vec<ArgumentText>>> = rest.iter().map(|item| group(item, scope, log)).collect();
        for (before, (own, item)) in std::iter::once(&None).chain(&groups).zip(groups.iter().zip(rest)) {
            let optional = own.as_ref().is_some_and(|own| own.iter().any(|text| text.optional));
            if let Some(option) = before.as_deref().and_then(takes_the_next).filter(|_| optional && !item.is_list()) {
                let hint = format!("write both as one element, which is left out together: [{option}, …]");
                log.report(item.place, format!("without a value, `{option}` would take the next argument"), hint);
            }
        }
        if groups.iter().flatten().map(Vec::len).sum::<usize>() > ELEMENTS_MAX {
            log.report(node.place, format!("more than {ELEMENTS_MAX} arguments"), "put some of them into a script");
        }
        Some(Self { program: program?, groups: groups.into_iter().collect::<Option<Vec<_>>>()? })
    }

    pub(super) fn program(&self) -> &str {
        &self.program
    }

    /// Program and arguments with the values of the data. An error says why nothing can be started.
    pub(super) fn filled(&self, data: &Value) -> Result<Vec<String>, String> {
        let mut words = vec![self.program.clone()];
        for group in &self.groups {
            words.extend(filled(group, data)?.unwrap_or_default());
        }
        let bytes: usize = words.iter().map(String::len).sum();
        if bytes > BYTES_MAX {
            return Err(format!("the arguments have {bytes} bytes, and {BYTES_MAX} are allowed"));
        }
        Ok(words)
    }

    /// As written, for descriptions.
    pub(super) fn shown(&self) -> String {
        let texts = self.groups.iter().flatten().map(|argument| argument.text.template().text());
        std::iter::once(self.program.as_str()).chain(texts).collect::<Vec<_>>().join(" ")
    }
}

/// The option at the end of a group that would take the argument after it for its value.
fn takes_the_next(group: &[ArgumentText]) -> Option<&str> {
    let [only] = group else { return None };
    let text = only.text.template();
    let is_option = text.text().starts_with('-') && !text.has_holes() && !text.text().contains('=');
    (is_option && text.text() != "--").then(|| text.text())
}

/// The arguments of a group; nothing where one of its values is absent.
fn filled(group: &[ArgumentText], data: &Value) -> Result<Option<Vec<String>>, String> {
    let mut words = Vec::new();
    for argument in group {
        match argument.text.fill(data) {
            Ok(filled) => words.push(stays_below(argument, filled.text)?),
            Err(FillError::CannotTell { .. }) if argument.optional => return Ok(None),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(Some(words))
}

/// Refuses a path that a value leads out of the folder that the author wrote.
fn stays_below(argument: &ArgumentText, filled: String) -> Result<String, String> {
    let steps_up = |text: &str| text.split(['/', ':']).filter(|part| *part == "..").count();
    let written = argument.text.template();
    if written.has_holes() && written.text().contains('/') && steps_up(&filled) > steps_up(written.text()) {
        return Err(format!("`{}`: a value with `..` would lead to another folder", written.text()));
    }
    Ok(filled)
}

fn program_name(node: &YamlNode, log: &mut ErrorLog) -> Option<String> {
    let name: At<String> = At::read(node, log)?;
    let absolute = name.starts_with('/');
    if name.contains("{{") || name.starts_with('-') || name.contains(char::is_whitespace) {
        log.report(name.place, "the program is written, and no value chooses it", HINT);
        return None;
    }
    if name.contains('/') && !absolute {
        log.report(name.place, "the program's path is not absolute", "write its name, or a path that begins with `/`");
        return None;
    }
    let file = name.rsplit('/').next().unwrap_or_default();
    if matches!(file, "sh" | "bash" | "dash" | "zsh" | "ksh" | "fish" | "busybox") {
        let hint = "start the program itself, or a script of your own by its path";
        log.report(name.place, format!("`{file}` would read values as commands"), hint);
        return None;
    }
    Some(name.value)
}

fn group(node: &YamlNode, scope: &Scope, log: &mut ErrorLog) -> Option<Vec<ArgumentText>> {
    if !node.is_list() {
        return argument(node, scope, log).map(|argument| vec![argument]);
    }
    if node.items().is_empty() {
        log.report(node.place, "the group of arguments is empty", "remove it");
    }
    node.items().iter().map(|item| argument(item, scope, log)).collect()
}

fn argument(node: &YamlNode, scope: &Scope, log: &mut ErrorLog) -> Option<ArgumentText> {
    let text = match &node.kind {
        NodeKind::Scalar(Value::String(text)) | NodeKind::Supplied(text) => text.clone(),
        NodeKind::Scalar(number @ Value::Number(_)) => number.to_string(),
        NodeKind::Scalar(_) | NodeKind::List(_) | NodeKind::Table(_) => {
            log.expected("an argument", node, HINT);
            return None;
        }
    };
    let text = match EscapedTemplate::parse(&text, Syntax::Argv) {
        Ok(text) => text,
        Err(error) => {
            mistake(node.place, &error, log);
            return None;
        }
    };
    if let Err(errors) = text.check(scope) {
        mistakes(node.place, &errors, log);
        return None;
    }
    let optional = absent(text.template(), scope).is_some();
    Some(ArgumentText { text, optional })
}
