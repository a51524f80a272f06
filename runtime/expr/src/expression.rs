//! An expression as a value.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::ast::{Ast, Shape};
use crate::check::check;
use crate::datum::{Datum, View};
use crate::error::{ExprError, Slip};
use crate::eval::evaluate;
use crate::judgement::{CannotTell, Judgement};
use crate::lex::Until;
use crate::parse::parse;
use crate::reads::{ReadPath, reads};
use crate::types::{Scope, Type};

/// A parsed expression. Two are equal if their texts are; at the wire it is its text.
#[derive(Clone)]
pub struct Expression {
    text: Arc<str>,
    root: Arc<Ast>,
}

impl Expression {
    /// Parses a text of at most [`TEXT_MAX`](crate::TEXT_MAX) bytes.
    pub fn parse(text: &str) -> Result<Self, ExprError> {
        let (root, _) = parse(text, 0, Until::TextEnd).map_err(|slip| slip.in_text(text))?;
        Ok(Self { text: text.into(), root: Arc::new(root) })
    }

    /// The expression of a hole that begins at `start`, and where it ends.
    pub(crate) fn in_hole(text: &str, start: usize) -> Result<(Self, usize), Slip> {
        let (root, end) = parse(text, start, Until::HoleEnd)?;
        let own = text.get(start..end).unwrap_or_default().trim();
        Ok((Self { text: own.into(), root: Arc::new(root) }, end))
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The type of its value, or every mistake against the declared names. Offsets are those of the text it was parsed in.
    pub fn check(&self, scope: &Scope) -> Result<Type, Vec<ExprError>> {
        self.check_in(&self.text, scope)
    }

    /// As [`check`](Self::check), and the value must be true or false.
    pub fn check_condition(&self, scope: &Scope) -> Result<(), Vec<ExprError>> {
        match self.check(scope)? {
            Type::Bool | Type::Any => Ok(()),
            other => {
                let message = format!("a condition is needed here, and this is {other}");
                Err(vec![ExprError::new(&self.text, self.root.at, message, "compare it with something")])
            }
        }
    }

    /// As [`check`](Self::check), for an expression that is part of a longer text.
    pub(crate) fn check_in(&self, text: &str, scope: &Scope) -> Result<Type, Vec<ExprError>> {
        let (own, slips) = check(&self.root, scope);
        if slips.is_empty() {
            return Ok(own);
        }
        let mut errors: Vec<ExprError> = slips.into_iter().map(|slip| slip.in_text(text)).collect();
        errors.sort_by_key(|error| error.offset);
        Err(errors)
    }

    /// Whether it holds on the data, whose fields are the names it reads.
    pub fn judge(&self, data: &Value) -> Judgement {
        match self.evaluate(data).map(|value| match value.view() {
            View::Bool(true) => Judgement::True,
            View::Bool(false) => Judgement::False,
            other => {
                let why = format!("a truth value is needed, and this is {}", other.kind());
                Judgement::CannotTell(CannotTell::new(self.root.at, why))
            }
        }) {
            Ok(judgement) => judgement,
            Err(why) => Judgement::CannotTell(why),
        }
    }

    /// Its value on the data. Whole numbers are written without a point; NaN and the infinities have no value.
    pub fn value(&self, data: &Value) -> Result<Value, CannotTell> {
        let value = self.evaluate(data)?;
        if let View::Null = value.view() {
            return Err(CannotTell::new(self.root.at, "the value is missing"));
        }
        value.json().ok_or_else(|| CannotTell::new(self.root.at, "the number is NaN or infinite"))
    }

    /// Its value as a text: a list or an object as JSON.
    pub(crate) fn shown(&self, data: &Value) -> Result<String, CannotTell> {
        let value = self.evaluate(data)?;
        let text = value.text().map(std::borrow::Cow::into_owned);
        text.ok_or_else(|| CannotTell::new(self.root.at, "the value cannot be shown"))
    }

    fn evaluate<'a>(&'a self, data: &'a Value) -> Result<Datum<'a>, CannotTell> {
        evaluate(&self.root, data)
    }

    /// The parts that it joins by `&&`; only itself where it joins none. The text of each is that of the whole.
    pub fn conjuncts(&self) -> Vec<Self> {
        match &self.root.shape {
            Shape::All(parts) => parts
                .iter()
                .map(|part| Self { text: Arc::clone(&self.text), root: Arc::new(part.clone()) })
                .flat_map(|part| part.conjuncts())
                .collect(),
            _ => vec![self.clone()],
        }
    }

    /// What it reads, in the order of the text.
    pub fn reads(&self) -> Vec<ReadPath> {
        reads(&self.root)
    }

    /// The path that it is, if it is nothing else: `fields.service`.
    pub fn path(&self) -> Option<ReadPath> {
        crate::reads::path(&self.root)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Expression {}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
