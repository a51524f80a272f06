//! The runtime knows nothing of the cases that packs and roles make of it: no word of theirs stands in it.

use std::collections::BTreeMap;

use super::list::{Places, compare_counts};
use super::source::{SourceFile, shipped_crates};
use super::texts::texts;

/// The crates that serve any case.
const GENERIC: [&str; 8] = [
    "runtime/domain",
    "runtime/form",
    "runtime/expr",
    "runtime/store",
    "runtime/model",
    "runtime/packs",
    "runtime/engine",
    "runtime/face",
];

/// Words of cases and of their roles, which belong to packs, roles, tools and faces.
const WORDS: [&str; 10] = [
    "incident",
    "severity",
    "pull request",
    "pull_request",
    "alertmanager",
    "oncall",
    "on-call",
    "triage",
    "investigator",
    "watcher",
];

/// Keys of a case's fields, which code of the runtime must not look for.
const KEYS: [&str; 1] = ["environment"];

/// The words in a text's lines, comments included: `line: word`.
fn words_in(text: &str) -> Vec<(usize, &'static str)> {
    let lower = text.to_lowercase();
    let lines = lower.lines().zip(1..);
    let hits = lines.flat_map(|(line, number)| {
        WORDS.iter().filter(move |word| line.contains(**word)).map(move |word| (number, *word))
    });
    hits.collect()
}

/// A source without its inline test module.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

/// The literals of a file that are such a key and nothing else.
fn keys_in(file: &SourceFile) -> Vec<(usize, &'static str)> {
    let keys = texts(file).into_iter().filter(|text| !text.is_comment);
    keys.filter_map(|text| KEYS.iter().find(|key| **key == text.content).map(|key| (text.line, *key))).collect()
}

#[test]
fn the_runtime_knows_no_cases_domain() {
    let mut found: BTreeMap<String, Places> = BTreeMap::new();
    for source in shipped_crates().iter().filter(|source| GENERIC.contains(&source.folder.as_str())) {
        for file in &source.files {
            for (line, word) in words_in(without_tests(&file.text)).into_iter().chain(keys_in(file)) {
                let text = file.text.lines().nth(line - 1).unwrap_or_default().trim();
                let place = format!("{}:{line}: {text}", file.path);
                found.entry(format!("{}: `{word}`", source.folder)).or_default().push(place);
            }
        }
    }
    compare_counts("case_words", &found);
}

#[test]
fn a_word_of_a_case_is_found() {
    assert_eq!(words_in("a\nan Incident, OnCall\n"), [(2, "incident"), (2, "oncall")]);
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {\nincident\n}"), "a\n");
}
