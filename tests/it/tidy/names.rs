//! A type's name means one thing in the whole workspace, and it is a noun.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};
use syn::{Ident, ItemEnum, ItemStruct, ItemTrait, ItemType, ItemUnion};

use super::list::{Places, compare, compare_counts};
use super::source::{CrateSource, shipped_crates};

/// Names that several crates define, each with the reason.
const SHARED: [(&str, &str); 0] = [];

/// Names that end like a participle and are none, or are events, each with the reason.
const NOUNS: [(&str, &str); 3] =
    [("Feed", "a noun"), ("Need", "a noun"), ("StatusChanged", "an event, which is in the past tense")];

/// Participles that do not end in `ed`.
const PARTICIPLES: [&str; 14] = [
    "Begun", "Done", "Found", "Given", "Gone", "Held", "Kept", "Known", "Made", "Said", "Seen", "Taken", "Told",
    "Written",
];

/// The types a crate defines, each with its place.
struct Types<'a> {
    file: &'a str,
    found: BTreeMap<String, Places>,
}

impl Types<'_> {
    fn of(source: &CrateSource) -> BTreeMap<String, Places> {
        let mut own = Types { file: "", found: BTreeMap::new() };
        for file in &source.files {
            let mut of_file = Types { file: &file.path, found: own.found };
            file.items.iter().for_each(|item| of_file.visit_item(item));
            own.found = of_file.found;
        }
        own.found
    }

    fn add(&mut self, name: &Ident) {
        let place = format!("{}:{}", self.file, name.span().start().line);
        self.found.entry(name.to_string()).or_default().push(place);
    }
}

impl<'ast> Visit<'ast> for Types<'_> {
    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.add(&item.ident);
        visit::visit_item_struct(self, item);
    }

    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.add(&item.ident);
        visit::visit_item_enum(self, item);
    }

    fn visit_item_union(&mut self, item: &'ast ItemUnion) {
        self.add(&item.ident);
        visit::visit_item_union(self, item);
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.add(&item.ident);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast ItemType) {
        self.add(&item.ident);
        visit::visit_item_type(self, item);
    }
}

/// All types that ship, by name, with the places that define them.
fn types() -> BTreeMap<String, Places> {
    let mut all: BTreeMap<String, Places> = BTreeMap::new();
    for source in shipped_crates() {
        for (name, places) in Types::of(&source) {
            let places = places.into_iter().map(|place| format!("{}/src/{place}", source.folder));
            all.entry(name).or_default().extend(places);
        }
    }
    all
}

/// Whether a name ends in a participle.
fn is_participle(name: &str) -> bool {
    let last = name.rfind(char::is_uppercase).map_or(name, |at| name.split_at(at).1);
    last.ends_with("ed") || PARTICIPLES.contains(&last)
}

#[test]
fn a_type_name_is_defined_once() {
    let mut found = types();
    found.retain(|name, places| places.len() > 1 && SHARED.iter().all(|(shared, _)| shared != name));
    compare_counts("names", &found);
}

#[test]
fn a_type_is_named_by_a_noun() {
    let mut found = types();
    found.retain(|name, _| is_participle(name) && NOUNS.iter().all(|(noun, _)| noun != name));
    compare("participles", &found);
}

#[test]
fn types_are_found_wherever_they_are_defined() {
    let text = "pub struct A; enum B {} trait C { type Not; } mod m { type D = u8; } fn f() { struct A; }";
    let read = |path: &str| (path == "lib.rs").then(|| text.to_owned());
    let found = Types::of(&CrateSource::parse("made-up", &read));
    let names: Vec<(&str, usize)> = found.iter().map(|(name, places)| (name.as_str(), places.len())).collect();
    assert_eq!(names, [("A", 2), ("B", 1), ("C", 1), ("D", 1)]);
    assert!(["Told", "NotScrubbed", "TurnTaken"].iter().all(|name| is_participle(name)));
    assert!(!["TakenView", "Supervisor"].iter().any(|name| is_participle(name)));
}
