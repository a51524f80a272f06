//! Which file of a crate names what another defines, and the cycles in it.

use std::collections::{BTreeMap, BTreeSet};

use super::mentions::Mentions;
use super::modules::Modules;
use super::scope::Scopes;
use super::source::CrateSource;

/// Files of one crate that all lead to each other.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cycle {
    /// The files below `src`, in order.
    pub(super) files: Vec<String>,
    /// Who names what of whom among them: `a.rs -> b.rs: Name, other`.
    pub(super) ties: Vec<String>,
}

/// The names that one file takes of another, by their indexes.
type Edges = BTreeMap<(usize, usize), BTreeSet<String>>;

/// The cycles among a crate's files.
pub(super) fn cycles(source: &CrateSource) -> Vec<Cycle> {
    let edges = edges(source);
    let reached: Vec<BTreeSet<usize>> = (0..source.files.len()).map(|from| reached(&edges, from)).collect();
    let mut found = Vec::new();
    let mut done = BTreeSet::new();
    for (file, from_here) in reached.iter().enumerate() {
        let circle: BTreeSet<usize> =
            from_here.iter().copied().filter(|other| reached[*other].contains(&file)).collect();
        if circle.contains(&file) && done.is_disjoint(&circle) {
            found.push(cycle(source, &edges, &circle));
            done.extend(circle);
        }
    }
    found
}

fn cycle(source: &CrateSource, edges: &Edges, circle: &BTreeSet<usize>) -> Cycle {
    let path = |file: usize| source.files[file].path.clone();
    let inside = edges.iter().filter(|((from, to), _)| circle.contains(from) && circle.contains(to));
    let ties = inside.map(|((from, to), names)| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        format!("{} -> {}: {}", path(*from), path(*to), names.join(", "))
    });
    let mut files: Vec<String> = circle.iter().map(|file| path(*file)).collect();
    files.sort();
    Cycle { files, ties: ties.collect() }
}

fn edges(source: &CrateSource) -> Edges {
    let mut modules = Modules::of(source);
    let mut named: Vec<Mentions> = source.files.iter().map(Mentions::of).collect();
    for (module, import) in named.iter_mut().flat_map(|mentions| mentions.inner_imports.drain(..)) {
        modules.add_import(modules.at(&module), import);
    }
    let scopes = Scopes::of(modules);
    let mut edges = Edges::new();
    for (from, mentions) in named.iter().enumerate() {
        for mention in &mentions.paths {
            for to in scopes.files(&mention.module, &mention.path) {
                if to != from {
                    edges.entry((from, to)).or_default().insert(short_name(&mention.path));
                }
            }
        }
    }
    edges
}

/// The end of a path, which is what a reader looks for: the name, with its type where it has one.
fn short_name(path: &[String]) -> String {
    let from = path.len().saturating_sub(2);
    let has_type = path[from].starts_with(char::is_uppercase) && path[from] != "Self";
    path[if has_type { from } else { path.len() - 1 }..].join("::")
}

/// The files that a file leads to, itself only if there is a way back.
fn reached(edges: &Edges, from: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        for (_, to) in edges.range((file, 0)..=(file, usize::MAX)).map(|(edge, _)| *edge) {
            if found.insert(to) {
                open.push(to);
            }
        }
    }
    found
}
