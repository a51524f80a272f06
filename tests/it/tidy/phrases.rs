//! Phrases that a reader stumbles over do not stand in messages and doc comments.

use std::collections::BTreeMap;

use super::list::{Places, compare_counts};
use super::source::shipped_crates;
use super::texts::{texts, words};

/// A phrase and the words around it that make it plain English after all.
struct Phrase {
    words: &'static [&'static str],
    unless_before: &'static [&'static str],
    unless_after: &'static [&'static str],
}

const fn phrase(words: &'static [&'static str]) -> Phrase {
    Phrase { words, unless_before: &[], unless_after: &[] }
}

const PHRASES: [Phrase; 8] = [
    Phrase { words: &["is", "no"], unless_before: &["there"], unless_after: &["longer", "more", "less"] },
    Phrase { words: &["are", "no"], unless_before: &["there"], unless_after: &["longer", "more", "less"] },
    phrase(&["mend"]),
    phrase(&["mends"]),
    phrase(&["mended"]),
    phrase(&["mending"]),
    phrase(&["one", "of", "ours"]),
    Phrase { words: &["such"], unless_before: &["no"], unless_after: &["as"] },
];

/// The phrases in a text, once for each time.
fn phrases_in(text: &str) -> Vec<String> {
    let words = words(text);
    let mut found = Vec::new();
    for phrase in PHRASES {
        for (at, window) in words.windows(phrase.words.len()).enumerate() {
            let before = at.checked_sub(1).and_then(|before| words.get(before));
            let after = words.get(at + window.len());
            let plain = before.is_some_and(|word| phrase.unless_before.contains(&word.as_str()))
                || after.is_some_and(|word| phrase.unless_after.contains(&word.as_str()));
            if window == phrase.words && !plain {
                found.push(phrase.words.join(" "));
            }
        }
    }
    found
}

#[test]
fn messages_and_comments_hold_no_banned_phrase() {
    let mut found: BTreeMap<String, Places> = BTreeMap::new();
    for source in shipped_crates() {
        for file in &source.files {
            for text in texts(file) {
                for phrase in phrases_in(&text.content) {
                    let place = format!("{}:{}: {}", file.path, text.line, text.content.trim());
                    found.entry(format!("{}: `{phrase}`", source.folder)).or_default().push(place);
                }
            }
        }
    }
    compare_counts("phrases", &found);
}

#[test]
fn a_phrase_is_found_unless_it_is_plain() {
    assert_eq!(phrases_in("The value is no\nobject, and such a text is to be mended."), ["is no", "mended", "such"]);
    assert_eq!(phrases_in("Recommended: there is no such word as `x`; it is no longer known."), Vec::<String>::new());
}
