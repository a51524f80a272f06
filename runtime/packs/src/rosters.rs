//! Rosters as written: a list of values, or the file of the pack that holds it.

use std::ops::Deref;

use provost_form::{At, ErrorLog, FromYaml, Json, Names, Table, TableSchema, TextFile, YamlNode};
use serde_json::json;

use crate::folder::Folder;

/// A pack's rosters as written.
pub(crate) type RawRosters = Names<RawRoster>;

/// Most values of one roster: a model is told all of them.
const VALUES_MAX: usize = 1000;

/// A closed list of values, as written or as a file has it.
#[derive(Debug, Default)]
pub(crate) struct RawRoster {
    /// The values. Those of a file are filled in once it is read.
    values: At<Vec<At<String>>>,
    /// The file that holds them, by its path inside the pack.
    file: Option<At<String>>,
}

impl Deref for RawRoster {
    type Target = At<Vec<At<String>>>;

    fn deref(&self) -> &Self::Target {
        &self.values
    }
}

impl FromYaml for RawRoster {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if !node.is_table() {
            return Some(Self { values: At::read(node, log)?, file: None });
        }
        let table = Table::open(node, &["file"], log)?;
        Some(Self { values: At::blank(), file: Some(table.required("file", log)) })
    }

    fn schema() -> Json {
        let file = TableSchema::default().key("file", String::schema(), true, &[]).finish();
        json!({"anyOf": [Vec::<String>::schema(), file]})
    }

    fn blank() -> Self {
        Self::default()
    }
}

/// Reads the rosters that stand in files of the pack. Mistakes in a file are told in it, a missing one where it is named.
pub(crate) fn read(rosters: &mut RawRosters, folder: &mut Folder, log: &mut ErrorLog) {
    for (name, roster) in rosters.iter_mut() {
        if let Some(file) = roster.file.clone().filter(|file| !file.is_blank()) {
            roster.values = from_file(&file, folder, log).unwrap_or_default();
        }
        if roster.values.len() > VALUES_MAX {
            let message = format!("the roster `{}` has {} values", name.value, roster.values.len());
            log.report(roster.values.place, message, format!("{VALUES_MAX} are allowed; split it"));
        }
    }
}

fn from_file(file: &At<String>, folder: &mut Folder, log: &mut ErrorLog) -> Option<At<Vec<At<String>>>> {
    let Some(text) = folder.find(file) else {
        if !folder.is_unread(file) {
            let hint = format!("write the values into {}, one `- value` a line", file.value);
            log.report(file.place, format!("no file `{}` in the pack", file.value), hint);
        }
        return None;
    };
    let values = values(&text, folder)?;
    // Where the list itself is spoken of, its name in the manifest is meant.
    Some(At { value: values, place: file.place })
}

fn values(text: &TextFile, folder: &mut Folder) -> Option<Vec<At<String>>> {
    let mut own = ErrorLog::new(text.path.clone());
    let read = text.form::<Vec<At<String>>>(&mut own);
    folder.errors.append(&mut own.errors);
    read.map(|(_, values)| values)
}
