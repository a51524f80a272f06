//! Which file defines what a path names.

use std::collections::{BTreeMap, BTreeSet};

use syn::{ImplItem, ItemImpl};

use super::imports::type_path;
use super::modules::{Entry, Modules};

/// How many imports a path may lead through; imports that name each other end here.
const HOPS_MAX: usize = 12;

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Target {
    /// A module, by its index.
    Module(usize),
    /// A name that a module defines.
    Definition { module: usize, name: String },
}

/// All names of a crate.
pub(super) struct Scopes<'a> {
    modules: Modules<'a>,
    /// The files that define an associated function of a type, by definition and function.
    functions: BTreeMap<(Target, String), BTreeSet<usize>>,
}

impl<'a> Scopes<'a> {
    pub(super) fn of(modules: Modules<'a>) -> Self {
        let mut own = Self { modules, functions: BTreeMap::new() };
        for (module, item) in own.modules.impls.clone() {
            own.add_functions(module, item);
        }
        own
    }

    /// Makes the functions of a type known, whose `impl` stands in this module.
    fn add_functions(&mut self, module: usize, item: &ItemImpl) {
        let owner = type_path(&item.self_ty).unwrap_or_default();
        for target in self.resolve(module, &owner) {
            let functions = item.items.iter().filter_map(|item| match item {
                ImplItem::Fn(function) => Some((target.clone(), function.sig.ident.to_string())),
                _ => None,
            });
            for function in functions {
                self.functions.entry(function).or_default().insert(self.modules.all[module].file);
            }
        }
    }

    /// The files of this crate that define what a path names, seen from a module: none for a path that names a
    /// module only, or something of another crate.
    pub(super) fn files(&self, module: &[String], path: &[String]) -> BTreeSet<usize> {
        let module = self.modules.at(module);
        let mut files = BTreeSet::new();
        for target in self.resolve(module, path) {
            if let Target::Definition { module, .. } = target {
                files.insert(self.modules.all[module].file);
            }
        }
        if let Some((function, owner)) = path.split_last().filter(|(_, owner)| !owner.is_empty()) {
            for target in self.resolve(module, owner) {
                files.extend(self.functions.get(&(target, function.clone())).into_iter().flatten());
            }
        }
        files
    }

    fn resolve(&self, module: usize, path: &[String]) -> BTreeSet<Target> {
        self.walk(module, path, 0)
    }

    fn walk(&self, module: usize, path: &[String], hops: usize) -> BTreeSet<Target> {
        let Some((first, rest)) = path.split_first().filter(|_| hops < HOPS_MAX) else {
            return BTreeSet::new();
        };
        let mut here = match first.as_str() {
            "crate" => BTreeSet::from([Target::Module(self.root(module))]),
            "self" => BTreeSet::from([Target::Module(module)]),
            name => self.lookup(module, name, hops),
        };
        for name in rest {
            here = here.into_iter().flat_map(|target| self.step(target, name, hops)).collect();
        }
        here
    }

    /// One segment further: a name of a module, or a variant or function of what is defined.
    fn step(&self, from: Target, name: &str, hops: usize) -> BTreeSet<Target> {
        match from {
            Target::Module(module) => self.lookup(module, name, hops),
            definition @ Target::Definition { .. } => BTreeSet::from([definition]),
        }
    }

    fn lookup(&self, module: usize, name: &str, hops: usize) -> BTreeSet<Target> {
        let own = &self.modules.all[module];
        if name == "super" {
            return own.parent.map(Target::Module).into_iter().collect();
        }
        let mut found = BTreeSet::new();
        for entry in own.names.get(name).into_iter().flatten() {
            match entry {
                Entry::Definition => {
                    found.insert(Target::Definition { module, name: name.to_owned() });
                }
                Entry::Module(child) => {
                    found.insert(Target::Module(*child));
                }
                Entry::Import(path) => found.extend(self.walk(module, path, hops + 1)),
            }
        }
        if own.names.contains_key(name) {
            return found;
        }
        for glob in &own.globs {
            for target in self.walk(module, glob, hops + 1) {
                if let Target::Module(all) = target {
                    found.extend(self.lookup(all, name, hops + 1));
                }
            }
        }
        found
    }

    fn root(&self, module: usize) -> usize {
        let mut root = module;
        while let Some(parent) = self.modules.all[root].parent {
            root = parent;
        }
        root
    }
}
