//! Errors with a place and a hint.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::node::{Position, YamlNode};

/// One error in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormError {
    /// The path of the file, as the caller named it.
    pub file: PathBuf,
    /// The line, from 1; 0 when the error has no place.
    pub line: u64,
    /// The column, from 1; 0 when the error has no place.
    pub column: u64,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl FormError {
    /// An error at a place in a file; the default place stands for the file as a whole.
    pub fn at(file: &Path, place: Position, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let Position { line, column } = place;
        Self { file: file.to_owned(), line, column, message: message.into(), hint: hint.into() }
    }
}

impl fmt::Display for FormError {
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

/// All errors of one reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormErrors(pub Vec<FormError>);

impl FormErrors {
    /// The errors in the order of files and places, none twice.
    pub fn sorted(mut errors: Vec<FormError>) -> Self {
        errors.sort_by(|a, b| (&a.file, a.line, a.column, &a.message).cmp(&(&b.file, b.line, b.column, &b.message)));
        errors.dedup();
        Self(errors)
    }
}

impl fmt::Display for FormErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.0 {
            writeln!(f, "{error}")?;
        }
        write!(f, "{} error(s)", self.0.len())
    }
}

impl std::error::Error for FormErrors {}

/// The errors found so far in one file.
#[derive(Debug)]
pub struct ErrorLog {
    file: PathBuf,
    /// In the order they were found.
    pub errors: Vec<FormError>,
}

impl ErrorLog {
    /// An empty log of this file.
    pub fn new(file: PathBuf) -> Self {
        Self { file, errors: Vec::new() }
    }

    /// The folder of the file, from which relative paths in it start.
    pub fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }

    /// Reports an error at a place.
    pub fn report(&mut self, place: Position, message: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(FormError::at(&self.file, place, message, hint));
    }

    /// Reports that a node is not what has to stand there.
    pub fn expected(&mut self, what: &str, node: &YamlNode, hint: &str) {
        self.report(node.place, format!("expected {what}, found {}", node.describe()), hint);
    }
}

/// Longest name that is compared with others.
const NAME_MAX: usize = 64;

/// Whether a name is another with a slip or two in it. Short names resemble nothing: too many differ by a letter.
pub fn resembles(wrong: &str, known: &str) -> bool {
    const SHORT: usize = 6;
    let length = wrong.len().min(known.len());
    length >= SHORT && wrong.len() <= NAME_MAX && strsim::levenshtein(wrong, known) <= 2
}

/// A hint for a wrong name: the nearest of the known ones, or all of them.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known.iter().map(|name| (strsim::levenshtein(wrong, name), *name));
    let near = if wrong.len() > NAME_MAX { None } else { near.min() };
    match near {
        Some((far, name)) if far <= wrong.len().max(name.len()) / 2 => format!("did you mean `{name}`?"),
        Some(_) | None if !known.is_empty() => format!("there are: {}", known.join(", ")),
        Some(_) | None => "there is none".to_owned(),
    }
}
