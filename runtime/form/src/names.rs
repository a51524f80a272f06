//! A table with names of the user's own.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::error::ErrorLog;
use crate::node::{At, YamlNode};
use crate::read::{FromYaml, take};

/// The entries of a table with names of the user's own, in the order of the file.
#[derive(Debug)]
pub struct Names<T> {
    entries: Vec<(At<String>, T)>,
    /// Stands in for a table that is missing or could not be read.
    blank: bool,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), blank: false }
    }
}

impl<T> Names<T> {
    /// Whether it only stands in for a table, so that nothing can be said about names.
    pub fn is_blank(&self) -> bool {
        self.blank
    }

    /// The entries; a name that is written twice is there twice.
    pub fn iter(&self) -> impl Iterator<Item = (&At<String>, &T)> {
        self.entries.iter().map(|(name, entry)| (name, entry))
    }

    /// The entries, to be completed from elsewhere.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&At<String>, &mut T)> {
        self.entries.iter_mut().map(|(name, entry)| (&*name, entry))
    }

    /// The names with their places.
    pub fn keys(&self) -> impl Iterator<Item = &At<String>> {
        self.iter().map(|(name, _)| name)
    }

    /// The names alone.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.keys().map(|name| name.as_str())
    }

    /// The first entry of a name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.iter().find(|(own, _)| own.value == name).map(|(_, entry)| entry)
    }

    /// The names with what is made of each entry.
    pub fn map<U>(&self, make: impl Fn(&T) -> U) -> BTreeMap<String, U> {
        self.iter().map(|(name, entry)| (name.value.clone(), make(entry))).collect()
    }
}

impl<T: FromYaml> FromYaml for Names<T> {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if !node.is_table() {
            log.expected("a table of names", node, "write `name: …` lines, or {} for none");
            return None;
        }
        let entries = node.entries().map(|(name, node)| (name.clone(), take(node, log))).collect();
        Some(Self { entries, blank: false })
    }

    fn schema() -> Value {
        json!({"type": "object", "additionalProperties": T::schema()})
    }

    fn blank() -> Self {
        Self { entries: Vec::new(), blank: true }
    }
}

impl<T: FromYaml> FromYaml for BTreeMap<String, T> {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let names = Names::<T>::read(node, log)?;
        Some(names.entries.into_iter().map(|(name, entry)| (name.value, entry)).collect())
    }

    fn schema() -> Value {
        json!({"type": "object", "additionalProperties": T::schema()})
    }

    fn blank() -> Self {
        Self::new()
    }
}
