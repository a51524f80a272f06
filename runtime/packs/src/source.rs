//! One file's text, and where things stand in it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::PackError;
use crate::form::{Log, Read};
use crate::node::{Node, Place};

/// Largest file read, in bytes.
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
        let found = fs::metadata(path).map_err(unreadable)?;
        if !found.is_file() {
            return Err(error("is not a file".to_owned(), "name a file of text"));
        }
        if found.len() > FILE_MAX {
            return Err(error(
                format!("{} bytes, over the limit of {FILE_MAX}", found.len()),
                "split it, or name another file",
            ));
        }
        let bytes = fs::read(path).map_err(unreadable)?;
        let text =
            String::from_utf8(bytes).map_err(|e| error(format!("is not UTF-8: {e}"), "save it as UTF-8 text"))?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// The file's YAML as a tree.
    ///
    /// # Errors
    /// The text is no YAML. Only this stops at the first mistake: what follows it means nothing.
    pub(crate) fn tree(&self) -> Result<Node, PackError> {
        parse(&self.text).map_err(|mut error| {
            error.file.clone_from(&self.path);
            error
        })
    }

    /// The file's YAML as a type, with every mistake of form in the log.
    pub(crate) fn form<T: Read>(&self, log: &mut Log) -> Option<(Node, T)> {
        let tree = self.tree().map_err(|error| log.errors.push(error)).ok()?;
        refuse_variables(&tree, log);
        let form = T::read(&tree, log)?;
        Some((tree, form))
    }

    /// An error at a place of this file.
    pub(crate) fn error(&self, place: Place, message: impl Into<String>, hint: impl Into<String>) -> PackError {
        PackError::at(&self.path, place, message, hint)
    }
}

/// Parses YAML; an error's file is left empty.
pub(crate) fn parse(text: &str) -> Result<Node, PackError> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let place = error.location().map(|at| Place { line: at.line(), column: at.column() }).unwrap_or_default();
        let hint = "mend it and run the check again: the rest of this file is read after that";
        PackError::at(Path::new(""), place, error.without_snippet().to_string(), hint)
    })
}

/// A pack is the same everywhere, so it holds no variables.
fn refuse_variables(node: &Node, log: &mut Log) {
    let mut open = vec![node];
    while let Some(node) = open.pop() {
        let mut texts = Vec::new();
        match &node.kind {
            crate::node::Kind::Scalar(value) => texts.extend(value.as_str().map(|text| (text, node.place))),
            crate::node::Kind::Supplied(_) => {}
            crate::node::Kind::List(items) => open.extend(items),
            crate::node::Kind::Table(entries) => {
                texts.extend(entries.iter().map(|(key, _)| (key.as_str(), key.place)));
                open.extend(entries.iter().map(|(_, node)| node));
            }
        }
        for (_, place) in texts.into_iter().filter(|(text, _)| text.contains("${")) {
            log.report(place, VARIABLE, VARIABLE_HINT);
        }
    }
}

/// Said of a `${` where none may be.
pub(crate) const VARIABLE: &str = "`${` is left over: variables are not replaced here";
/// What to do about it.
pub(crate) const VARIABLE_HINT: &str = "write the value itself; variables belong in the configuration's values";
