//! Texts with holes that another program parses: each hole is escaped for the place where it lands, so that a value never
//! becomes a part of the query, the address or the statement around it. Where that cannot be, the hole is refused at load.

mod argument;
mod json;
mod landing;
mod markdown;
mod query;
mod regex;
mod sql;
mod url;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::landing::{Landing, Landings};
use crate::error::ExprError;
use crate::judgement::CannotTell;
use crate::template::{Hole, Template, TemplatePiece, UNKNOWN};
use crate::types::Scope;

/// The language of a text, as an argument's `x-syntax` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Syntax {
    /// Text for people. Nothing is escaped; what cannot be told reads `unknown`.
    Plain,
    /// Markdown for people: a value is shown as it is and marks nothing up; what cannot be told reads `unknown`.
    Markdown,
    /// A query of Prometheus: values of labels in quotes, and numbers and durations.
    Promql,
    /// A query of Loki: values of labels and line filters in quotes, and numbers and durations.
    Logql,
    /// An address: segments of its path, and values of its query.
    Url,
    /// One SQL statement: bound parameters.
    Sql,
    /// A regular expression: a value stands for itself.
    Regex,
    /// A JSON document: values, and parts of texts.
    Json,
    /// One argument of a command. It never becomes an option.
    Argv,
}

/// The languages by their names.
const SYNTAXES: [(&str, Syntax); 9] = [
    ("plain", Syntax::Plain),
    ("markdown", Syntax::Markdown),
    ("promql", Syntax::Promql),
    ("logql", Syntax::Logql),
    ("url", Syntax::Url),
    ("sql", Syntax::Sql),
    ("regex", Syntax::Regex),
    ("json", Syntax::Json),
    ("argv", Syntax::Argv),
];

impl Syntax {
    /// The language of this name.
    pub fn named(name: &str) -> Option<Self> {
        SYNTAXES.into_iter().find(|row| row.0 == name).map(|row| row.1)
    }

    /// The names of all languages.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SYNTAXES.into_iter().map(|row| row.0)
    }
}

impl fmt::Display for Syntax {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SYNTAXES.iter().find(|row| row.1 == *self).map_or("", |row| row.0))
    }
}

/// Longest value of a hole in a text that a program parses, in bytes.
pub const HOLE_MAX: usize = 8 * 1024;

/// A template whose holes are escaped for the language of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EscapedTemplate {
    template: Template,
    syntax: Syntax,
    landings: Vec<Landing>,
}

/// A text that was filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct FilledText {
    /// The text; in SQL `$1`, `$2` … stand for the parameters.
    pub text: String,
    /// The values of an SQL statement's parameters, in their order; else empty.
    pub parameters: Vec<Value>,
}

/// Why a text could not be filled in. The call it belongs to is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// A hole has no value.
    #[error("`{hole}`: {why}")]
    CannotTell {
        /// The expression of the hole, as written.
        hole: String,
        /// Why it has none.
        why: CannotTell,
    },
    /// A value does not fit where its hole stands.
    #[error("`{hole}` {why}")]
    Unfit {
        /// The expression of the hole, as written.
        hole: String,
        /// What does not fit, as a sentence that begins with the hole.
        why: String,
    },
}

impl EscapedTemplate {
    /// Reads a text in a language and finds out where its holes land.
    pub fn parse(text: &str, syntax: Syntax) -> Result<Self, ExprError> {
        Self::new(Template::parse(text)?, syntax)
    }

    /// The template in a language; a hole that nothing can make safe is an error.
    pub fn new(template: Template, syntax: Syntax) -> Result<Self, ExprError> {
        let pieces = template.pieces();
        let every = |landing: Landing| Ok(template.holes().map(|_| landing).collect());
        let landings: Landings = match syntax {
            Syntax::Plain => every(Landing::Plain),
            Syntax::Markdown => every(Landing::Markdown),
            Syntax::Promql => query::landings(pieces, query::Dialect::Metrics),
            Syntax::Logql => query::landings(pieces, query::Dialect::Logs),
            Syntax::Url => url::landings(pieces),
            Syntax::Sql => sql::landings(pieces),
            Syntax::Regex => regex::landings(pieces),
            Syntax::Json => json::landings(pieces),
            Syntax::Argv => every(Landing::Argument),
        };
        let landings = landings.map_err(|slip| slip.in_text(template.text()))?;
        Ok(Self { template, syntax, landings })
    }

    /// The template without its language.
    pub fn template(&self) -> &Template {
        &self.template
    }

    /// The language of the text.
    pub fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// Every mistake against the declared names, and every hole whose type never fits where it stands.
    pub fn check(&self, scope: &Scope) -> Result<(), Vec<ExprError>> {
        let types = self.template.check(scope)?;
        let holes = self.template.holes().zip(types).zip(&self.landings);
        let unfit = holes.filter_map(|((hole, own), landing)| {
            let wanted = landing.refuses(&own)?;
            Some(ExprError::new(self.template.text(), hole.at, format!("{own} does not fit here"), wanted))
        });
        let unfit: Vec<ExprError> = unfit.collect();
        if unfit.is_empty() { Ok(()) } else { Err(unfit) }
    }

    /// The text with the values of the data.
    pub fn fill(&self, data: &Value) -> Result<FilledText, FillError> {
        let mut filled = FilledText { text: String::new(), parameters: Vec::new() };
        let mut landings = self.landings.iter();
        for piece in self.template.pieces() {
            match piece {
                TemplatePiece::Text(text, _) => filled.text.push_str(text),
                TemplatePiece::Hole(hole) => {
                    let landing = landings.next().copied().unwrap_or(Landing::Parameter);
                    put(hole, landing, data, &mut filled)?;
                }
            }
        }
        self.whole(&filled.text, data)?;
        Ok(filled)
    }

    /// What can only be seen in the whole text.
    fn whole(&self, text: &str, data: &Value) -> Result<(), FillError> {
        let flaw = match self.syntax {
            Syntax::Url => url::flaw(self.template.pieces(), data),
            Syntax::Argv => argument::flaw(self.template.pieces(), text),
            Syntax::Plain
            | Syntax::Markdown
            | Syntax::Promql
            | Syntax::Logql
            | Syntax::Sql
            | Syntax::Regex
            | Syntax::Json => None,
        };
        let hole = || self.template.expressions().next().map(ToString::to_string).unwrap_or_default();
        flaw.map_or(Ok(()), |why| Err(FillError::Unfit { hole: hole(), why }))
    }
}

/// Writes a hole's value.
fn put(hole: &Hole, landing: Landing, data: &Value, filled: &mut FilledText) -> Result<(), FillError> {
    let unknown = |why| FillError::CannotTell { hole: hole.expression.to_string(), why };
    let unfit = |why: String| FillError::Unfit { hole: hole.expression.to_string(), why };
    let escaped = match landing {
        Landing::Plain => hole.expression.shown(data).unwrap_or_else(|_| UNKNOWN.to_owned()),
        Landing::Markdown => {
            let shown = hole.expression.shown(data).unwrap_or_else(|_| UNKNOWN.to_owned());
            markdown::escape(&shown)
        }
        Landing::Parameter => {
            filled.parameters.push(hole.expression.value(data).map_err(unknown)?);
            format!("${}", filled.parameters.len())
        }
        Landing::JsonValue => hole.expression.value(data).map_err(unknown)?.to_string(),
        Landing::Figure
        | Landing::Quotes(_)
        | Landing::QuotedPattern(..)
        | Landing::Pattern(_)
        | Landing::Percent
        | Landing::JsonText
        | Landing::Argument => {
            let value = hole.expression.value(data).map_err(unknown)?;
            let text = scalar(hole, &value, data).map_err(unfit)?;
            escape(landing, &text, &value).map_err(unfit)?
        }
    };
    filled.text.push_str(&escaped);
    Ok(())
}

/// The text of a value that is one text, number or truth value.
fn scalar(hole: &Hole, value: &Value, data: &Value) -> Result<String, String> {
    match value {
        Value::Array(_) | Value::Object(_) => {
            Err("is a list or an object, and one text or number is needed".to_owned())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let text = hole.expression.shown(data).map_err(|why| why.to_string())?;
            if text.len() > HOLE_MAX { Err(format!("is longer than {HOLE_MAX} bytes")) } else { Ok(text) }
        }
    }
}

fn escape(landing: Landing, text: &str, value: &Value) -> Result<String, String> {
    match landing {
        Landing::Figure => query::figure(text, value),
        Landing::Quotes(quote) => query::quoted(text, quote),
        Landing::QuotedPattern(quote, repeated) => query::quoted(&regex::literal(text, repeated)?, quote),
        Landing::Pattern(repeated) => regex::literal(text, repeated),
        Landing::Percent => Ok(url::encode(text)),
        Landing::JsonText => Ok(json::within_quotes(text)),
        Landing::Argument => argument::whole(text),
        Landing::Plain | Landing::Markdown | Landing::Parameter | Landing::JsonValue => Ok(text.to_owned()),
    }
}
