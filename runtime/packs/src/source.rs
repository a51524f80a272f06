//! One file: its text, and its YAML with places.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};

use crate::error::PackError;
use crate::form::{Log, Read};
use crate::node::{Node, Place};

/// Largest file read, in bytes: prompts and tables are far smaller, and a mistaken file is refused before it is read.
const FILE_MAX: u64 = 1024 * 1024;

/// A file that was read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Source {
    /// Reads a regular file that must be UTF-8 and not too large.
    pub(crate) fn read(path: &Path) -> Result<Self, PackError> {
        let error = |message: String, hint: &str| PackError::at(path, Place::default(), message, hint);
        let unreadable = |e| error(format!("cannot be read: {e}"), "check the path and its rights");
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(error("is not a file".to_owned(), "name a file of text"));
        }
        let mut bytes = Vec::new();
        File::open(path).and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
        if bytes.len() as u64 > FILE_MAX {
            return Err(error(format!("is over the limit of {FILE_MAX} bytes"), "split it, or take it out"));
        }
        let text =
            String::from_utf8(bytes).map_err(|e| error(format!("is not UTF-8: {e}"), "save it as UTF-8 text"))?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// The file's YAML as a tree, with every key that is written twice in the log. Text that is no YAML is the one
    /// mistake that hides others: what follows it means nothing.
    pub(crate) fn tree(&self, log: &mut Log) -> Option<Node> {
        parse(&self.text, log)
    }

    /// The file's YAML as a type, with every mistake of form in the log; nothing when it is something else as a whole.
    pub(crate) fn form<T: Read>(&self, log: &mut Log) -> Option<(Node, T)> {
        let tree = self.tree(log)?;
        let form = T::read(&tree, log)?;
        Some((tree, form))
    }
}

/// Parses YAML with places.
pub(crate) fn parse(text: &str, log: &mut Log) -> Option<Node> {
    let first = match parse_with(text, DuplicateKeyPolicy::Error) {
        Ok(tree) => return Some(tree),
        Err(error) => error,
    };
    // The strict reading ends at a key that is written twice; the other one goes on, so that the rest is checked too.
    match parse_with(text, DuplicateKeyPolicy::LastWins) {
        Ok(tree) => {
            let before = log.errors.len();
            refuse_twice(&tree, log);
            if log.errors.len() == before {
                report(&first, log);
            }
            Some(tree)
        }
        Err(error) => {
            report(&first, log);
            report(&error, log);
            None
        }
    }
}

fn parse_with(text: &str, duplicates: DuplicateKeyPolicy) -> Result<Node, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        duplicate_keys: duplicates,
        merge_keys: MergeKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
}

fn report(error: &serde_saphyr::Error, log: &mut Log) {
    let place = error.location().map(|at| Place { line: at.line(), column: at.column() }).unwrap_or_default();
    let hint = "mend it and check again: the rest of this file is read after that";
    let message = error.without_snippet().to_string();
    // Its place stands in front already.
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    log.report(place, message, hint);
}

fn refuse_twice(node: &Node, log: &mut Log) {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        open.extend(node.items());
        let mut seen = std::collections::BTreeMap::new();
        for (key, node) in node.entries() {
            open.push(node);
            if let Some(first) = seen.insert(key.as_str(), key.place) {
                let hint = format!("take one out; the other is in line {}", first.line);
                log.report(key.place, format!("the key `{}` is written twice", key.value), hint);
            }
        }
    }
}

/// Refuses `${`: a pack is the same everywhere, so it holds no variables.
pub(crate) fn refuse_variables(source: &Source, errors: &mut Vec<PackError>) {
    for (at, _) in source.text.match_indices("${") {
        let message = "`${` is left over: variables are not replaced in a pack";
        let hint = "write the value itself; variables belong in the configuration";
        errors.push(PackError::at(&source.path, Place::of(&source.text, at), message, hint));
    }
}
