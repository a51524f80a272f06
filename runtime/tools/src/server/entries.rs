//! The entries under `tools` of servers whose tools are described by their site.

use provost_form::{At, ErrorLog, Table, YamlNode};

/// Who says what a tool does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToolWordsSource {
    /// The site, in `about`.
    Site,
    /// The server, unless the site does.
    Server,
}

/// Longest name of a tool.
const NAME_MAX: usize = 64;

/// Reads all entries: their names, also of those that could not be read, and what was read. What every tool has is read
/// elsewhere, and unknown keys are reported there.
pub(crate) fn entries<T>(
    table: &Table<'_>,
    (hint, source): (&str, ToolWordsSource),
    log: &mut ErrorLog,
    read: impl Fn(&str, &YamlNode, &mut ErrorLog) -> Option<T>,
) -> (Vec<String>, Vec<T>) {
    let Some(node) = table.get("tools") else {
        // Says that the key is missing.
        table.required::<Vec<String>>("tools", log);
        return (Vec::new(), Vec::new());
    };
    if node.is_table() && node.entries().next().is_none() {
        log.report(node.place, "no tool is written", hint);
    }
    let names = node.entries().map(|(name, _)| name.value.clone()).collect();
    let read = |(name, node): (&At<String>, &YamlNode)| {
        described(name, node, source, log).then(|| read(name, node, log)).flatten()
    };
    (names, node.entries().filter_map(read).collect())
}

/// Whether an entry is a table with a usable name and words of its own.
fn described(name: &At<String>, node: &YamlNode, source: ToolWordsSource, log: &mut ErrorLog) -> bool {
    if !node.is_table() {
        return false;
    }
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    if !plain || name.is_empty() || name.len() > NAME_MAX {
        let hint = match source {
            ToolWordsSource::Site => "write letters, digits, `_` and `-`, at most 64",
            ToolWordsSource::Server => {
                "write letters, digits, `_` and `-`, at most 64, and the server's own name under `name`"
            }
        };
        log.report(name.place, format!("`{}` cannot be the name of a tool", name.value), hint);
    }
    if source == ToolWordsSource::Site && node.get("about").is_none() {
        let message = format!("the key `about` of `{}` is missing", name.value);
        log.report(node.place, message, "say in a sentence what the tool does: models read it");
    }
    true
}
