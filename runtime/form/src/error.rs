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

impl FormError {
    /// The line of the source that it is about, with a caret below the place; nothing where it has no place in this text. What
    /// a terminal would not show as it is, is shown as `?`.
    pub fn excerpt(&self, source: &str) -> Option<String> {
        let line = source.lines().nth(usize::try_from(self.line.checked_sub(1)?).ok()?)?;
        let column = usize::try_from(self.column.checked_sub(1)?).ok()?;
        // A long line is shown around the place.
        let start = column.saturating_sub(EXCERPT_MAX / 2);
        let visible = |sign: char| {
            if sign == '\t' {
                ' '
            } else if sign.is_control() {
                '?'
            } else {
                sign
            }
        };
        let shown: String = line.chars().skip(start).take(EXCERPT_MAX).map(visible).collect();
        let (number, caret) = (self.line.to_string(), " ".repeat(column - start));
        let margin = " ".repeat(number.len());
        Some(format!(" {margin} |\n {number} | {shown}\n {margin} | {caret}^"))
    }
}

/// Most characters of a source's line that an excerpt shows.
const EXCERPT_MAX: usize = 120;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, line: u64, column: u64, expect: Option<&str>) {
        let error = FormError::at(Path::new("a"), Position { line, column }, "m", "");
        assert_eq!(error.excerpt(source).as_deref(), expect);
    }

    #[test]
    fn a_caret_stands_below_the_place() {
        check("a: 1\nbb: ä!x\n", 2, 6, Some("   |\n 2 | bb: ä!x\n   |      ^"));
        check("\ta\u{1b}[31m: 1", 1, 2, Some("   |\n 1 |  a?[31m: 1\n   |  ^"));
        check("a: 1", 0, 0, None);
        check("a: 1", 9, 1, None);
        let long = format!("{}x{}", "-".repeat(500), "+".repeat(500));
        let caret = format!("   |\n 1 | {}x{}\n   | {}^", "-".repeat(60), "+".repeat(59), " ".repeat(60));
        check(&long, 1, 501, Some(&caret));
    }
}
