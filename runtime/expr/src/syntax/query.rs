//! Holes in the queries of Prometheus and Loki.

use serde_json::Value;

use super::landing::{Landing, Landings, neighbours};
use super::regex::{PatternReader, repeats};
use crate::error::Slip;
use crate::template::{Hole, TemplatePiece};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Metrics,
    Logs,
}

/// Where in a query one stands.
#[derive(Debug)]
enum QueryPlace {
    Outside,
    Quotes {
        quote: char,
        /// The operator before the quotes.
        operator: String,
        after_backslash: bool,
        pattern: PatternReader,
    },
    Backticks,
    Comment,
}

struct QueryReader {
    dialect: Dialect,
    place: QueryPlace,
    /// Braces that are open.
    braces: usize,
    /// The signs of an operator right before, blanks left out.
    operator: String,
}

pub(super) fn landings(pieces: &[TemplatePiece], dialect: Dialect) -> Landings {
    let mut reader = QueryReader { dialect, place: QueryPlace::Outside, braces: 0, operator: String::new() };
    let mut landings = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            TemplatePiece::Text(text, _) => text.chars().for_each(|sign| reader.read(sign)),
            TemplatePiece::Hole(hole) => landings.push(reader.landing(hole, pieces, index)?),
        }
    }
    match reader.place {
        QueryPlace::Outside | QueryPlace::Comment if reader.braces == 0 => Ok(landings),
        QueryPlace::Outside | QueryPlace::Comment => Err(Slip::new(0, "a `{` is not closed", "close it with `}`")),
        QueryPlace::Quotes { .. } | QueryPlace::Backticks => Err(Slip::new(0, "a quote is not closed", "close it")),
    }
}

impl QueryReader {
    fn read(&mut self, sign: char) {
        match &mut self.place {
            QueryPlace::Comment if sign == '\n' => self.place = QueryPlace::Outside,
            QueryPlace::Backticks if sign == '`' => self.place = QueryPlace::Outside,
            QueryPlace::Comment | QueryPlace::Backticks => {}
            QueryPlace::Quotes { after_backslash, pattern, .. } if *after_backslash => {
                *after_backslash = false;
                // Only an escaped backslash reaches the pattern as one; any other escape is a plain sign there.
                pattern.read(if sign == '\\' { '\\' } else { '_' });
            }
            QueryPlace::Quotes { after_backslash, .. } if sign == '\\' => *after_backslash = true,
            QueryPlace::Quotes { quote, .. } if sign == *quote => self.place = QueryPlace::Outside,
            QueryPlace::Quotes { pattern, .. } => pattern.read(sign),
            QueryPlace::Outside => self.outside(sign),
        }
    }

    fn outside(&mut self, sign: char) {
        match sign {
            '"' | '\'' => {
                let operator = std::mem::take(&mut self.operator);
                let pattern = PatternReader::default();
                self.place = QueryPlace::Quotes { quote: sign, operator, after_backslash: false, pattern };
            }
            '`' => self.place = QueryPlace::Backticks,
            '#' => self.place = QueryPlace::Comment,
            '{' => self.braces += 1,
            '}' => self.braces = self.braces.saturating_sub(1),
            _ => {}
        }
        match sign {
            '=' | '!' | '~' | '|' | '<' | '>' => self.operator.push(sign),
            blank if blank.is_whitespace() => {}
            _ => self.operator.clear(),
        }
    }

    fn landing(&self, hole: &Hole, pieces: &[TemplatePiece], index: usize) -> Result<Landing, Slip> {
        let refused = |message: &str, hint: &str| Err(Slip::new(hole.at, message, hint));
        let (before, after) = neighbours(pieces, index);
        match &self.place {
            QueryPlace::Comment => refused("a hole stands in a comment", "take it out"),
            QueryPlace::Backticks => {
                refused("a hole stands in backticks, where nothing can be escaped", "use double quotes")
            }
            QueryPlace::Outside if before.joins_words() || after.joins_words() => {
                refused("a hole outside of quotes touches a word", "put it into quotes, or blanks around it")
            }
            QueryPlace::Outside => Ok(Landing::Figure),
            QueryPlace::Quotes { after_backslash: true, .. } => {
                refused("a hole stands behind a backslash", "take it out")
            }
            QueryPlace::Quotes { quote, operator, pattern, .. } => match self.matcher(operator) {
                None => refused(
                    "a hole in quotes must be the value of a label or a line filter",
                    "a value that a function reads could change the query",
                ),
                Some(false) => Ok(Landing::Quotes(*quote)),
                Some(true) => {
                    pattern.check(hole)?;
                    Ok(Landing::QuotedPattern(*quote, repeats(after)))
                }
            },
        }
    }

    /// Whether the operator before quotes compares with a regular expression; `None` if it does not compare a label or a line.
    fn matcher(&self, operator: &str) -> Option<bool> {
        match (self.braces > 0, self.dialect, operator) {
            (true, _, "=" | "!=") => Some(false),
            (true, _, "=~" | "!~") => Some(true),
            (false, Dialect::Logs, "|=" | "!=") => Some(false),
            (false, Dialect::Logs, "|~" | "!~") => Some(true),
            _ => None,
        }
    }
}

/// A text inside quotes.
pub(super) fn quoted(text: &str, quote: char) -> Result<String, String> {
    if text.is_empty() {
        return Err("is empty, and an empty value would select more than is meant".to_owned());
    }
    if text.contains(|sign: char| sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}')) {
        return Err("holds a line break or another control character, which no query takes".to_owned());
    }
    let mut escaped = String::new();
    for sign in text.chars() {
        if sign == '\\' || sign == quote {
            escaped.push('\\');
        }
        escaped.push(sign);
    }
    Ok(escaped)
}

/// A number or a duration; a negative number in brackets, so that it stays one value.
pub(super) fn figure(text: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::Number(_) if text.starts_with('-') => Ok(format!("({text})")),
        Value::Number(_) => Ok(text.to_owned()),
        Value::String(_) if is_duration(text) => Ok(text.to_owned()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Err("must be a number or a duration like 5m, because it stands outside of quotes".to_owned())
        }
    }
}

/// Numbers with units, the larger first or not: `1h30m`.
fn is_duration(text: &str) -> bool {
    const LONGEST: usize = 32;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = rest.get(digits..).unwrap_or_default();
        let unit = ["ms", "s", "m", "h", "d", "w", "y"].into_iter().find(|unit| after.starts_with(unit));
        let Some(unit) = unit.filter(|_| digits > 0) else { return false };
        rest = after.get(unit.len()..).unwrap_or_default();
    }
    !text.is_empty() && text.len() <= LONGEST
}
