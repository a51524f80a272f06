//! The modules of a crate and the names each of them holds.

use std::collections::BTreeMap;

use syn::{Item, ItemImpl};

use super::imports::{Import, defined_name, imports};
use super::source::CrateSource;

/// What a name in a module stands for.
pub(super) enum Entry {
    /// Something the module defines.
    Definition,
    /// A child module, by its index.
    Module(usize),
    /// What this path leads to.
    Import(Vec<String>),
}

/// One module, which may be a part of a file.
pub(super) struct Module {
    pub(super) parent: Option<usize>,
    /// The index of its file.
    pub(super) file: usize,
    pub(super) names: BTreeMap<String, Vec<Entry>>,
    /// Paths of modules whose names are imported with `*`.
    pub(super) globs: Vec<Vec<String>>,
}

/// All modules of a crate, parents before their children.
pub(super) struct Modules<'a> {
    pub(super) all: Vec<Module>,
    by_path: BTreeMap<Vec<String>, usize>,
    /// The `impl` blocks of types, each with its module.
    pub(super) impls: Vec<(usize, &'a ItemImpl)>,
}

impl<'a> Modules<'a> {
    pub(super) fn of(source: &'a CrateSource) -> Self {
        let mut own = Self { all: Vec::new(), by_path: BTreeMap::new(), impls: Vec::new() };
        for (file, parsed) in source.files.iter().enumerate() {
            own.add(&parsed.module, file, &parsed.items);
        }
        own
    }

    /// The module with this path from the crate's root.
    pub(super) fn at(&self, path: &[String]) -> usize {
        self.by_path[path]
    }

    fn add(&mut self, path: &[String], file: usize, items: &'a [Item]) {
        let index = self.all.len();
        let parent = path.split_last().and_then(|(_, parent)| self.by_path.get(parent)).copied();
        self.all.push(Module { parent, file, names: BTreeMap::new(), globs: Vec::new() });
        self.by_path.insert(path.to_vec(), index);
        if let (Some(parent), Some(name)) = (parent, path.last()) {
            self.add_name(parent, name.clone(), Entry::Module(index));
        }
        for item in items {
            match item {
                Item::Use(item) => {
                    for import in imports(&item.tree) {
                        self.add_import(index, import);
                    }
                }
                Item::Impl(item) if item.trait_.is_none() => self.impls.push((index, item)),
                Item::Mod(item) => {
                    if let Some((_, items)) = &item.content {
                        let path: Vec<String> = path.iter().cloned().chain([item.ident.to_string()]).collect();
                        self.add(&path, file, items);
                    }
                }
                _ => {
                    if let Some(name) = defined_name(item) {
                        self.add_name(index, name, Entry::Definition);
                    }
                }
            }
        }
    }

    fn add_name(&mut self, module: usize, name: String, entry: Entry) {
        self.all[module].names.entry(name).or_default().push(entry);
    }

    /// Makes an import's name known in a module.
    pub(super) fn add_import(&mut self, module: usize, import: Import) {
        match import {
            Import::Name { alias, path } => self.add_name(module, alias, Entry::Import(path)),
            Import::All { path } => self.all[module].globs.push(path),
        }
    }
}
