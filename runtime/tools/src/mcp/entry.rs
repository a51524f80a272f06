//! An entry under `tools` of a server of the kind `mcp`.

use provost_expr::refuse_holes;
use provost_form::{At, ErrorLog, FromYaml as _, YamlNode};
use serde_json::{Map, Value};

use crate::holes::mistake;

/// A tool as written.
#[derive(Debug, Clone)]
pub(super) struct McpEntry {
    /// Its key, by which packs name it.
    pub(super) key: String,
    /// The server's own name for it.
    pub(super) name: String,
    pub(super) fixed: Map<String, Value>,
}

impl McpEntry {
    /// Its keys besides those of every tool.
    pub(super) const KEYS: &'static [&'static str] = &["name", "fix"];

    /// Reads an entry whose key was checked.
    pub(super) fn read(key: &str, node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let name: Option<At<String>> = match node.get("name") {
            Some(node) => Some(At::read(node, log)?),
            None => None,
        };
        let fixed = node.get("fix").map(|node| fixed(node, log)).unwrap_or_default();
        Some(Self { key: key.to_owned(), name: name.map_or_else(|| key.to_owned(), |name| name.value), fixed })
    }
}

fn fixed(node: &YamlNode, log: &mut ErrorLog) -> Map<String, Value> {
    if !node.is_table() {
        log.expected("a table of arguments", node, "write {NAME: VALUE}");
    }
    let mut fixed = Map::new();
    for (name, node) in node.entries() {
        let value = node.value();
        match refuse_holes(&value.to_string()) {
            Ok(()) => drop(fixed.insert(name.value.clone(), value)),
            Err(error) => mistake(node.place, &error, log),
        }
    }
    fixed
}
