//! The keys of a server whose programs run on this machine: sandbox, environment, folder.

use std::collections::BTreeMap;
use std::path::PathBuf;

use provost_expr::refuse_holes;
use provost_form::{At, ErrorLog, FromYaml as _, NodeKind, SecretPlace, Table, YamlNode};

use super::sandbox::Sandbox;
use crate::holes::mistake;

/// Where programs are looked for when the environment does not say it.
pub(super) const STANDARD_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Most variables of one environment.
const VARIABLES_MAX: usize = 64;

/// The value of a variable as written.
#[derive(Debug, Clone)]
pub(super) enum VariableText {
    Plain(String),
    Secret(SecretPlace),
}

/// How programs of a server are started, as written.
#[derive(Debug, Clone)]
pub(crate) struct ProcessSection {
    pub(super) sandbox: Sandbox,
    pub(super) env: BTreeMap<String, VariableText>,
    pub(super) folder: PathBuf,
}

impl ProcessSection {
    /// Reads the keys beside a sandbox that was read.
    pub(crate) fn read(table: &Table<'_>, sandbox: Sandbox, log: &mut ErrorLog) -> Self {
        let env = table.get("env").map(|node| environment(node, log)).unwrap_or_default();
        let folder: Option<At<PathBuf>> = table.optional("cwd", log);
        if let Some(folder) = folder.as_ref().filter(|folder| !folder.is_blank()) {
            sandbox.shows(folder, log);
        }
        Self { sandbox, env, folder: folder.map_or_else(|| "/".into(), |folder| folder.value) }
    }

    pub(crate) fn secrets(&self) -> impl Iterator<Item = &SecretPlace> {
        self.env.values().filter_map(|value| match value {
            VariableText::Plain(_) => None,
            VariableText::Secret(place) => Some(place),
        })
    }

    /// Why its programs run without a sandbox, if they do.
    pub(crate) fn without_sandbox(&self) -> Option<&str> {
        match &self.sandbox {
            Sandbox::Absent(reason) => Some(reason),
            Sandbox::Bubblewrap(_) => None,
        }
    }
}

/// Whether a text can be the name of a variable.
pub(crate) fn is_variable(name: &str) -> bool {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    plain && !name.is_empty() && name.len() <= 128 && !name.starts_with(|c: char| c.is_ascii_digit())
}

fn environment(node: &YamlNode, log: &mut ErrorLog) -> BTreeMap<String, VariableText> {
    if !node.is_table() {
        log.expected("a table of variables", node, "write {NAME: TEXT, OTHER: {credential: ID}}");
    }
    if node.entries().count() > VARIABLES_MAX {
        log.report(node.place, format!("more than {VARIABLES_MAX} variables"), "remove some");
    }
    let mut env = BTreeMap::new();
    for (name, node) in node.entries() {
        if !is_variable(name) {
            let hint = "write letters, digits and `_`, the first of them no digit";
            log.report(name.place, format!("`{}` cannot be the name of a variable", name.value), hint);
            continue;
        }
        if name.value.starts_with("PROVOST_") || name.value.starts_with("LD_") {
            let hint = "remove it: it would change how the program is started or found";
            log.report(name.place, format!("the variable `{}` is not written here", name.value), hint);
            continue;
        }
        let value = match &node.kind {
            NodeKind::Table(_) => SecretPlace::read(node, log).map(VariableText::Secret),
            NodeKind::Scalar(_) | NodeKind::Supplied(_) | NodeKind::List(_) => text(node, log),
        };
        env.extend(value.map(|value| (name.value.clone(), value)));
    }
    env
}

fn text(node: &YamlNode, log: &mut ErrorLog) -> Option<VariableText> {
    let text = String::read(node, log)?;
    if text.contains('\0') {
        log.report(node.place, "the value holds a NUL", "remove it");
        return None;
    }
    match refuse_holes(&text) {
        Ok(()) => Some(VariableText::Plain(text)),
        Err(error) => {
            mistake(node.place, &error, log);
            None
        }
    }
}
