//! Lists of what is not right yet. A list may only shrink: what is new must be corrected, what is gone must be deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::packages::root;

/// Where something was found, for the reader of a failure.
pub(super) type Places = Vec<String>;

/// As [`compare`], with rows that say how often something was found: `key: 3`.
#[track_caller]
pub(super) fn compare_counts(name: &str, found: &BTreeMap<String, Places>) {
    let rows = found.iter().map(|(key, places)| (format!("{key}: {}", places.len()), places.clone()));
    compare(name, &rows.collect());
}

/// Compares what a test found, by the row that would list it, with `lists/{name}.txt`. The values explain a row.
#[track_caller]
pub(super) fn compare(name: &str, found: &BTreeMap<String, Places>) {
    let text = text_of(name);
    let listed = rows(&text);
    let problems = differences(&listed, found);
    if problems.is_empty() {
        return;
    }
    let head = text.lines().filter(|line| line.starts_with('#'));
    let whole: Vec<&str> = head.chain(found.keys().map(String::as_str)).collect();
    let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.txt"));
    // Empty lines keep two changes of neighbouring rows from being a conflict.
    fs::write(&written, format!("{}\n", whole.join("\n\n"))).unwrap();
    let advice = format!("If all that changed is better than before: cp {} {}", written.display(), path_of(name));
    panic!("\n{}\n\n{advice}\n", problems.join("\n"));
}

fn path_of(name: &str) -> String {
    format!("tests/it/tidy/lists/{name}.txt")
}

fn text_of(name: &str) -> String {
    fs::read_to_string(root().join(path_of(name))).unwrap()
}

/// The rows of a list.
pub(super) fn listed(name: &str) -> BTreeSet<String> {
    rows(&text_of(name)).into_iter().map(str::to_owned).collect()
}

fn rows(text: &str) -> BTreeSet<&str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).collect()
}

fn differences(listed: &BTreeSet<&str>, found: &BTreeMap<String, Places>) -> Vec<String> {
    let mut problems = Vec::new();
    for (row, why) in found.iter().filter(|(row, _)| !listed.contains(row.as_str())) {
        problems.push(format!("found, not listed: {row}\n    {}", why.join("\n    ")));
    }
    let gone = listed.iter().filter(|row| !found.contains_key(**row));
    problems.extend(gone.map(|row| format!("listed, not found: {row}")));
    problems
}

#[test]
fn a_list_must_say_exactly_what_is_found() {
    let found = |rows: &[&str]| rows.iter().map(|row| ((*row).to_owned(), vec!["why".to_owned()])).collect();
    let listed = rows("# Head.\n\na: 1\nb: 2\n");
    assert_eq!(differences(&listed, &found(&["a: 1", "b: 2"])), Vec::<String>::new());
    assert_eq!(
        differences(&listed, &found(&["a: 1", "b: 3"])),
        ["found, not listed: b: 3\n    why", "listed, not found: b: 2"]
    );
}
