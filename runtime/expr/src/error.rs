//! Mistakes in a text, with their place.

use std::fmt;

/// Longest name that is compared with others.
const NAME_MAX: usize = 64;

/// A mistake in an expression or a template, found before anything is evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ExprError {
    /// What is wrong with it, without its place.
    pub message: String,
    /// What to do; may be empty.
    pub hint: String,
    /// Bytes of the text before the mistake.
    pub offset: usize,
    /// The line inside the text, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl ExprError {
    /// A mistake at a byte offset of a text.
    pub(crate) fn new(text: &str, offset: usize, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |start| start.chars().count()) + 1;
        Self { message: message.into(), hint: hint.into(), offset, line, column }
    }
}

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 1 {
            write!(f, "line {}, ", self.line)?;
        }
        write!(f, "column {}: {}", self.column, self.message)?;
        if !self.hint.is_empty() {
            write!(f, "; {}", self.hint)?;
        }
        Ok(())
    }
}

/// A mistake before its place in the whole text is known.
#[derive(Debug, Clone)]
pub(crate) struct Slip {
    pub(crate) at: usize,
    pub(crate) message: String,
    pub(crate) hint: String,
}

impl Slip {
    pub(crate) fn new(at: usize, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { at, message: message.into(), hint: hint.into() }
    }

    pub(crate) fn in_text(self, text: &str) -> ExprError {
        ExprError::new(text, self.at, self.message, self.hint)
    }
}

/// A hint for a wrong name: the nearest of the known ones, or all of them.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    /// Most names that one hint lists.
    const NAMES_MAX: usize = 12;
    let known: Vec<&str> = known.into_iter().collect();
    let near = known.iter().map(|name| (strsim::levenshtein(wrong, name), *name));
    let near = if wrong.len() > NAME_MAX { None } else { near.min() };
    match near {
        Some((far, name)) if far <= wrong.len().max(name.len()) / 2 => format!("did you mean `{name}`?"),
        Some(_) | None if known.is_empty() => "no name is known here".to_owned(),
        Some(_) | None => {
            let rest = known.len().saturating_sub(NAMES_MAX);
            let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            let first: Vec<&str> = known.into_iter().take(NAMES_MAX).collect();
            format!("there are: {}{more}", first.join(", "))
        }
    }
}
