//! No file of a crate names something of a file that, directly or through others, names something of the first.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::{Cycle, cycles};
use super::list::{Places, compare, listed};
use super::source::{CrateSource, shipped_crates};

#[test]
fn no_cycle_of_files_within_a_crate() {
    let listed = listed("cycles");
    let mut found: BTreeMap<String, Places> = BTreeMap::new();
    for source in shipped_crates() {
        for Cycle { files, ties } in cycles(&source) {
            found.entry(row(&listed, &source.folder, &files)).or_default().extend(ties);
        }
    }
    compare("cycles", &found);
}

/// The row that lists a cycle: its own, or one that holds all its files and perhaps more.
fn row(listed: &BTreeSet<String>, folder: &str, files: &[String]) -> String {
    let own = format!("{folder}: {}", files.join(" "));
    let head = format!("{folder}: ");
    let holds = |row: &&String| {
        let rest = row.strip_prefix(&head).unwrap_or_default();
        files.iter().all(|file| rest.split(' ').any(|listed| listed == file))
    };
    listed.iter().find(holds).cloned().unwrap_or(own)
}

#[test]
fn a_smaller_cycle_is_listed_with_the_larger_one() {
    let listed = ["a: x.rs y.rs", "b: x.rs y.rs z.rs"].map(str::to_owned).into();
    let row = |files: [&str; 2]| row(&listed, "b", &files.map(str::to_owned));
    assert_eq!(row(["x.rs", "z.rs"]), "b: x.rs y.rs z.rs");
    assert_eq!(row(["x.rs", "w.rs"]), "b: x.rs w.rs");
}

/// The cycles of a crate of these files.
fn cycles_of(files: &[(&str, &str)]) -> Vec<Cycle> {
    let files: BTreeMap<&str, &str> = files.iter().copied().collect();
    cycles(&CrateSource::parse("made-up", &|path| files.get(path).map(|text| (*text).to_owned())))
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &[&[&str]]) {
    let found: BTreeSet<Vec<String>> = cycles_of(files).into_iter().map(|cycle| cycle.files).collect();
    let expected: BTreeSet<Vec<String>> =
        expected.iter().map(|files| files.iter().map(|file| (*file).to_owned()).collect()).collect();
    assert_eq!(found, expected);
}

#[test]
fn two_files_that_import_from_each_other_are_a_cycle() {
    let found = cycles_of(&[
        ("lib.rs", "mod a; mod b;"),
        ("a.rs", "use crate::b::B; pub struct A(B);"),
        ("b.rs", "use super::a; pub struct B; fn f(_: a::A) {}"),
    ]);
    let ties = ["a.rs -> b.rs: B", "b.rs -> a.rs: A"].map(str::to_owned).to_vec();
    assert_eq!(found, [Cycle { files: vec!["a.rs".to_owned(), "b.rs".to_owned()], ties }]);
}

#[test]
fn a_cycle_through_a_re_export_is_found() {
    check(
        &[
            ("lib.rs", "mod deep; mod a;"),
            ("deep/mod.rs", "mod b; mod c; pub use b::B; pub use c::*;"),
            ("deep/b.rs", "pub struct B(crate::a::A);"),
            ("deep/c.rs", "pub struct C;"),
            ("a.rs", "use crate::deep::{B as Other, C}; pub struct A(Option<Box<Other>>, C);"),
        ],
        &[&["a.rs", "deep/b.rs"]],
    );
}

#[test]
fn a_cycle_through_a_parent_that_defines_something_is_found() {
    check(
        &[
            ("lib.rs", "mod parent;"),
            ("parent/mod.rs", "mod child; pub trait Port {} fn f() { child::run() }"),
            ("parent/child.rs", "pub fn run() {} fn g(_: &dyn super::Port) {}"),
        ],
        &[&["parent/child.rs", "parent/mod.rs"]],
    );
}

#[test]
fn a_parent_that_only_declares_and_re_exports_ties_nobody() {
    check(
        &[
            ("lib.rs", "//! A crate.\nmod a; mod b; pub use a::A; pub use b::B;"),
            ("a.rs", "use crate::B; pub struct A(B);"),
            ("b.rs", "use super::*; pub struct B;"),
        ],
        &[],
    );
}

#[test]
fn a_cycle_in_macros_attributes_and_bodies_is_found() {
    for named in ["print!(\"{}\", crate::b::x())", "use crate::b; print!(\"{}\", b::x(1))", "super::b::x()"] {
        let a = format!("pub struct A; fn f() {{ {named} }}");
        check(
            &[("lib.rs", "mod a; mod b;"), ("a.rs", &a), ("b.rs", "pub fn x() -> crate::a::A {}")],
            &[&["a.rs", "b.rs"]],
        );
    }
    let a = "pub struct A; #[serde(with = \"crate::b\", default = \"crate::b::x\")] struct Own;";
    check(&[("lib.rs", "mod a; mod b;"), ("a.rs", a), ("b.rs", "pub fn x() -> crate::a::A {}")], &[&["a.rs", "b.rs"]]);
}

#[test]
fn a_type_whose_functions_lie_in_two_files_is_a_cycle_once_they_call_each_other() {
    let child = "impl super::Own { pub fn child(&self) {} }";
    for call in
        ["fn call(&self) { self.child() }", "fn call(&self) { assert!(self.child()) }", "const F: X = Self::child;"]
    {
        let parent = format!("mod child; pub struct Own; impl Own {{ {call} }}");
        check(
            &[("lib.rs", "mod own;"), ("own/mod.rs", &parent), ("own/child.rs", child)],
            &[&["own/child.rs", "own/mod.rs"]],
        );
    }
    let parent = "mod child; pub struct Own; impl Own { fn call(&self) { self.other() } fn other(&self) {} }";
    check(&[("lib.rs", "mod own;"), ("own/mod.rs", parent), ("own/child.rs", child)], &[]);
}

#[test]
fn tests_and_other_crates_tie_nobody() {
    check(
        &[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use b::Foreign; pub struct A; #[cfg(test)] mod tests { use crate::b::B; fn f(_: B) {} }"),
            ("b.rs", "use super::a::A; use http::a::A as Other; pub struct B(A); #[cfg(test)] fn g() {}"),
        ],
        &[],
    );
}
