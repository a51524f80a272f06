//! One file: its text, and its YAML with places.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_saphyr::{DuplicateKeyPolicy, MergeKeyPolicy, NonFiniteFloatPolicy};

use crate::error::{ErrorLog, FormError};
use crate::node::{Position, YamlNode};
use crate::read::FromYaml;

/// Largest file read, in bytes: prompts and tables are far smaller, and a wrong file is refused before it fills the memory.
const FILE_MAX: u64 = 1024 * 1024;

/// A text file that was read.
#[derive(Debug, Clone)]
pub struct TextFile {
    /// Its path, as messages show it.
    pub path: PathBuf,
    /// The whole text, as it stands in the file.
    pub text: String,
}

impl TextFile {
    /// Reads a regular file, which must be UTF-8 and at most 1 MiB long.
    pub fn read(path: &Path) -> Result<Self, FormError> {
        let error = |message: String, hint: &str| FormError::at(path, Position::default(), message, hint);
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

    /// The file's YAML as a tree, with every key that is written twice in the log. Text that is not YAML is the one error
    /// that hides others: what follows it means nothing.
    pub fn tree(&self, log: &mut ErrorLog) -> Option<YamlNode> {
        parse(&self.text, log)
    }

    /// The file's YAML as a tree and as a type, with every error in the log; nothing when the file as a whole cannot be that
    /// type.
    pub fn form<T: FromYaml>(&self, log: &mut ErrorLog) -> Option<(YamlNode, T)> {
        let tree = self.tree(log)?;
        let form = T::read(&tree, log)?;
        Some((tree, form))
    }
}

/// Parses YAML with places. Nothing when the text is not YAML.
pub fn parse(text: &str, log: &mut ErrorLog) -> Option<YamlNode> {
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

fn parse_with(text: &str, duplicates: DuplicateKeyPolicy) -> Result<YamlNode, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        duplicate_keys: duplicates,
        merge_keys: MergeKeyPolicy::Error,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
}

fn report(error: &serde_saphyr::Error, log: &mut ErrorLog) {
    let place = error.location().map(|at| Position { line: at.line(), column: at.column() }).unwrap_or_default();
    let hint = "correct it and check again: the rest of this file is read after that";
    let message = error.without_snippet().to_string();
    // Its place stands in front already.
    let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
    log.report(place, message, hint);
}

fn refuse_twice(node: &YamlNode, log: &mut ErrorLog) {
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
