//! Errors with a place and a hint.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::node::Place;

/// One mistake in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackError {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; 0 when the mistake has no line.
    pub line: u64,
    /// The column, from 1; 0 when the mistake has no line.
    pub column: u64,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl PackError {
    pub(crate) fn at(file: &Path, place: Place, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let Place { line, column } = place;
        Self { file: file.to_owned(), line, column, message: message.into(), hint: hint.into() }
    }
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        if !self.hint.is_empty() {
            write!(f, "\n  hint: {}", self.hint)?;
        }
        Ok(())
    }
}

/// All mistakes of a pack or a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackErrors(pub Vec<PackError>);

impl PackErrors {
    /// The mistakes in the order of files and places, none twice.
    pub(crate) fn sorted(mut errors: Vec<PackError>) -> Self {
        errors.sort_by(|a, b| (&a.file, a.line, a.column, &a.message).cmp(&(&b.file, b.line, b.column, &b.message)));
        errors.dedup();
        Self(errors)
    }
}

impl fmt::Display for PackErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.0 {
            writeln!(f, "{error}")?;
        }
        write!(f, "{} error(s)", self.0.len())
    }
}

impl std::error::Error for PackErrors {}

/// Longest name that is compared with others.
const NAME_MAX: usize = 64;

/// The name nearest to a wrong one, as a hint.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known.iter().map(|name| (strsim::levenshtein(wrong, name), *name));
    let near = if wrong.len() > NAME_MAX { None } else { near.min() };
    match near {
        Some((far, name)) if far <= wrong.len().max(name.len()) / 2 => format!("did you mean `{name}`?"),
        Some(_) | None if !known.is_empty() => format!("there are: {}", known.join(", ")),
        Some(_) | None => "there is none".to_owned(),
    }
}
