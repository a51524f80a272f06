//! One file's text, and where things stand in it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::error::PackError;

/// Largest file read, in bytes.
const FILE_MAX: u64 = 1024 * 1024;

/// A file that was read.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Source {
    /// Reads a file that must be UTF-8 and not too large.
    pub(crate) fn read(path: &Path) -> Result<Self, PackError> {
        let error = |message: String, hint: &str| PackError {
            file: path.to_owned(),
            line: 0,
            column: 0,
            message,
            hint: hint.to_owned(),
        };
        let length = fs::metadata(path)
            .map_err(|e| error(format!("cannot be read: {e}"), "check the path and its rights"))?
            .len();
        if length > FILE_MAX {
            return Err(error(
                format!("{length} bytes, over the limit of {FILE_MAX}"),
                "split it, or name another file",
            ));
        }
        let bytes =
            fs::read(path).map_err(|e| error(format!("cannot be read: {e}"), "check the path and its rights"))?;
        let text =
            String::from_utf8(bytes).map_err(|e| error(format!("is not UTF-8: {e}"), "save it as UTF-8 text"))?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// The file's YAML as a type that refuses unknown keys.
    pub(crate) fn yaml<T: DeserializeOwned>(&self) -> Result<T, PackError> {
        serde_saphyr::from_str(&self.text).map_err(|error| {
            let bare = error.without_snippet();
            let (line, column) = bare.location().map_or((0, 0), |at| (at.line(), at.column()));
            PackError {
                file: self.path.clone(),
                line,
                column,
                message: bare.to_string(),
                hint: "mend it and run the check again: the rest of this file is read after that".to_owned(),
            }
        })
    }

    /// An error at the first place where all of these words stand, in this order, each at or after the one before.
    pub(crate) fn error(&self, at: &[&str], message: impl Into<String>, hint: impl Into<String>) -> PackError {
        let (line, column) = self.find(at);
        PackError { file: self.path.clone(), line, column, message: message.into(), hint: hint.into() }
    }

    fn find(&self, at: &[&str]) -> (u64, u64) {
        let mut from = 0;
        let mut found = None;
        for word in at {
            let Some(offset) = self.text.get(from..).and_then(|rest| position(rest, word)) else { continue };
            from += offset;
            found = Some(from);
        }
        let Some(before) = found.and_then(|at| self.text.get(..at)) else { return (0, 0) };
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) as u64 + 1;
        (line, column)
    }
}

/// Where a word stands that is not part of a longer one; comments are passed over.
fn position(text: &str, word: &str) -> Option<usize> {
    let part_of_word = |c: char| c.is_alphanumeric() || c == '_';
    let stands = |at: usize| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|t| t.chars().next());
        let line = text.get(..at).and_then(|t| t.rsplit('\n').next()).unwrap_or_default();
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word) && !line.trim_start().starts_with('#')
    };
    text.match_indices(word).map(|(at, _)| at).find(|at| stands(*at))
}
