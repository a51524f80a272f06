//! Errors and warnings of packs, each with the line of the source that it is about.

use std::collections::BTreeMap;
use std::path::PathBuf;

use provost_face::VisibleText;
use provost_form::{FormError, TextFile};

use crate::output::{BAD, NOTE, Output};

/// Whether something refuses a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Error,
    Warning,
}

/// Prints them for people, on standard error: results go to standard output.
pub(super) fn tell(errors: &[FormError], weight: Weight, output: Output) {
    let mut sources: BTreeMap<PathBuf, Option<String>> = BTreeMap::new();
    for error in errors {
        let read = || TextFile::read(&error.file).ok().map(|file| file.text);
        let source = sources.entry(error.file.clone()).or_insert_with(read);
        let excerpt = source.as_deref().and_then(|text| error.excerpt(text));
        let (word, style) = match weight {
            Weight::Error => ("error", BAD),
            Weight::Warning => ("warning", NOTE),
        };
        let place = if error.line > 0 { format!(":{}:{}", error.line, error.column) } else { String::new() };
        let message = VisibleText::new(&error.message).hanging("  ");
        let file = VisibleText::new(error.file.display().to_string());
        let excerpt = excerpt.map(|excerpt| format!("{excerpt}\n")).unwrap_or_default();
        let hint = VisibleText::new(&error.hint).hanging("  ");
        let hint = if error.hint.is_empty() { String::new() } else { format!("  hint: {hint}\n") };
        output.aside(&format!("{style}{word}{style:#}: {message}\n  --> {file}{place}\n{excerpt}{hint}"));
    }
}
