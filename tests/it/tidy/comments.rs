//! A doc comment says more than the name it stands at.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};
use syn::{Attribute, Field, Ident, ImplItemFn, ItemImpl, TraitItemFn, Variant};

use super::imports::{defined_name, type_path};
use super::list::{Places, compare_counts};
use super::source::{CrateSource, SourceFile, attributes, shipped_crates};
use super::texts::{doc, words};

/// Words that add nothing to a name.
const EMPTY_WORDS: [&str; 17] =
    ["a", "an", "the", "this", "that", "its", "it", "of", "for", "to", "in", "is", "as", "and", "one", "all", "with"];

/// The comments that hold nothing but the words of the name and of the type around it: `line: name: comment`.
struct Repetitions {
    owner: String,
    found: Places,
}

impl Repetitions {
    fn of(file: &SourceFile) -> Places {
        let mut own = Self { owner: String::new(), found: Vec::new() };
        file.items.iter().for_each(|item| own.visit_item(item));
        own.found
    }

    fn check(&mut self, name: &str, attributes: &[Attribute]) {
        let lines: Vec<_> = attributes.iter().filter_map(doc).collect();
        let Some(first) = lines.first() else { return };
        let text: String = lines.iter().map(|line| line.value()).collect();
        let known: BTreeSet<String> = name_words(name).into_iter().chain(name_words(&self.owner)).collect();
        let empty = |word: &String| EMPTY_WORDS.contains(&word.as_str());
        if words(&text).iter().all(|word| empty(word) || known.contains(&stem(word))) {
            let line = first.span().start().line;
            self.found.push(format!("{line}: {name}: {}", text.trim()));
        }
    }

    fn check_ident(&mut self, name: &Ident, attributes: &[Attribute]) {
        self.check(&name.to_string(), attributes);
    }

    fn within(&mut self, owner: String, visit: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.owner, owner);
        visit(self);
        self.owner = outer;
    }
}

/// The words of a name in snake or camel case.
fn name_words(name: &str) -> Vec<String> {
    let mut spaced = String::new();
    for sign in name.chars() {
        if sign.is_uppercase() && name.contains(char::is_lowercase) {
            spaced.push(' ');
        }
        spaced.push(if sign == '_' { ' ' } else { sign });
    }
    words(&spaced).iter().map(|word| stem(word)).collect()
}

/// A word without the endings that change nothing of what it says.
fn stem(word: &str) -> String {
    let word = word.trim_end_matches("'s").trim_end_matches('\'');
    word.strip_suffix('s').unwrap_or(word).to_owned()
}

impl<'ast> Visit<'ast> for Repetitions {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let name = defined_name(item).unwrap_or_default();
        self.check(&name, attributes(item));
        self.within(name, |own| visit::visit_item(own, item));
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let owner = type_path(&item.self_ty).and_then(|path| path.last().cloned()).unwrap_or_default();
        self.within(owner, |own| visit::visit_item_impl(own, item));
    }

    fn visit_field(&mut self, field: &'ast Field) {
        if let Some(name) = &field.ident {
            self.check_ident(name, &field.attrs);
        }
    }

    fn visit_variant(&mut self, variant: &'ast Variant) {
        self.check_ident(&variant.ident, &variant.attrs);
        visit::visit_variant(self, variant);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.check_ident(&function.sig.ident, &function.attrs);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.check_ident(&function.sig.ident, &function.attrs);
    }
}

#[test]
fn comments_say_more_than_the_name() {
    let mut found: BTreeMap<String, Places> = BTreeMap::new();
    for source in shipped_crates() {
        for file in &source.files {
            for place in Repetitions::of(file) {
                found.entry(source.folder.clone()).or_default().push(format!("{}:{place}", file.path));
            }
        }
    }
    compare_counts("comments", &found);
}

#[test]
fn a_comment_that_repeats_the_name_is_found() {
    let found = |text: &str| {
        let read = |path: &str| (path == "lib.rs").then(|| text.to_owned());
        Repetitions::of(&CrateSource::parse("made-up", &read).files[0])
    };
    let repeats = "/// A pack's row.\nstruct PackRow {\n/// The name of the pack.\nname: u8,\n/// Bytes, at most 8.\nsize: u8 }\n\
                   impl PackRow {\n/// The names.\nfn names() {} }";
    assert_eq!(found(repeats), ["1: PackRow: A pack's row.", "3: name: The name of the pack.", "8: names: The names."]);
}
