//! Texts with holes.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::error::{ExprError, Slip};
use crate::expression::Expression;
use crate::judgement::CannotTell;
use crate::limits::{HOLES_MAX, TEMPLATE_MAX};
use crate::reads::ReadPath;
use crate::types::{Scope, Type};

/// What opens a hole.
const OPEN: &str = "{{";
/// What closes it.
const CLOSE: &str = "}}";
/// What a hole reads in a text for people when it cannot be told.
pub const UNKNOWN: &str = "unknown";

/// A text in which `{{ expression }}` stands for a value. This type writes texts for people and plain values; a text that
/// another program parses is made by [`EscapedTemplate`](crate::EscapedTemplate).
#[derive(Clone)]
pub struct Template {
    text: Arc<str>,
    pieces: Arc<[TemplatePiece]>,
}

/// A part of a template.
#[derive(Debug, Clone)]
pub(crate) enum TemplatePiece {
    /// Text that stands as it is, and the bytes before it.
    Text(String, usize),
    Hole(Hole),
}

/// A hole: its expression, and the bytes of the template before it.
#[derive(Debug, Clone)]
pub(crate) struct Hole {
    pub(crate) expression: Expression,
    pub(crate) at: usize,
}

impl Template {
    /// Reads a text of at most [`TEMPLATE_MAX`](crate::TEMPLATE_MAX) bytes.
    pub fn parse(text: &str) -> Result<Self, ExprError> {
        let pieces = pieces(text).map_err(|slip| slip.in_text(text))?;
        Ok(Self { text: text.into(), pieces: pieces.into() })
    }

    /// The text as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn pieces(&self) -> &[TemplatePiece] {
        &self.pieces
    }

    pub(crate) fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.pieces.iter().filter_map(|piece| match piece {
            TemplatePiece::Text(..) => None,
            TemplatePiece::Hole(hole) => Some(hole),
        })
    }

    /// Whether it has holes.
    pub fn has_holes(&self) -> bool {
        self.holes().next().is_some()
    }

    /// The expressions of the holes, in the order of the text.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.holes().map(|hole| &hole.expression)
    }

    /// The expression of the only hole, if nothing else stands in the text: then the value keeps its type.
    pub fn alone(&self) -> Option<&Expression> {
        let mut alone = None;
        for piece in &*self.pieces {
            match piece {
                TemplatePiece::Text(text, _) if text.trim().is_empty() => {}
                TemplatePiece::Hole(hole) if alone.is_none() => alone = Some(&hole.expression),
                TemplatePiece::Text(..) | TemplatePiece::Hole(_) => return None,
            }
        }
        alone
    }

    /// The types of the holes, or every mistake against the declared names, with places in the whole text.
    pub fn check(&self, scope: &Scope) -> Result<Vec<Type>, Vec<ExprError>> {
        let (mut types, mut errors) = (Vec::new(), Vec::new());
        for hole in self.holes() {
            match hole.expression.check_in(&self.text, scope) {
                Ok(own) => types.push(own),
                Err(mut own) => errors.append(&mut own),
            }
        }
        if errors.is_empty() { Ok(types) } else { Err(errors) }
    }

    /// What the holes read, in the order of the text.
    pub fn reads(&self) -> Vec<ReadPath> {
        self.expressions().flat_map(Expression::reads).collect()
    }

    /// The text for people. A hole that cannot be told reads `unknown`.
    pub fn render(&self, data: &Value) -> String {
        let piece = |piece: &TemplatePiece| match piece {
            TemplatePiece::Text(text, _) => text.clone(),
            TemplatePiece::Hole(hole) => hole.expression.shown(data).unwrap_or_else(|_| UNKNOWN.to_owned()),
        };
        self.pieces.iter().map(piece).collect()
    }

    /// The value: that of the hole if nothing else stands in the text, else the text.
    pub fn value(&self, data: &Value) -> Result<Value, CannotTell> {
        self.alone().map_or_else(|| Ok(Value::String(self.render(data))), |expression| expression.value(data))
    }
}

/// Refuses a hole in a text where none is read: it would stay in it as it is.
pub fn refuse_holes(text: &str) -> Result<(), ExprError> {
    match text.find(OPEN) {
        None => Ok(()),
        Some(at) => Err(ExprError::new(text, at, "no `{{ … }}` is read here", "write the value itself")),
    }
}

fn pieces(text: &str) -> Result<Vec<TemplatePiece>, Slip> {
    if text.len() > TEMPLATE_MAX {
        let message = format!("the text has {} bytes, and {TEMPLATE_MAX} are allowed", text.len());
        return Err(Slip::new(0, message, "shorten it"));
    }
    let (mut pieces, mut at, mut holes) = (Vec::new(), 0, 0_usize);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(open) = rest.find(OPEN) else {
            pieces.push(TemplatePiece::Text(rest.to_owned(), at));
            break;
        };
        if open > 0 {
            pieces.push(TemplatePiece::Text(rest.get(..open).unwrap_or_default().to_owned(), at));
        }
        let hole = at + open;
        holes += 1;
        if holes > HOLES_MAX {
            return Err(Slip::new(hole, format!("the text has more than {HOLES_MAX} holes"), "split it"));
        }
        let (expression, end) = Expression::in_hole(text, hole + OPEN.len())?;
        pieces.push(TemplatePiece::Hole(Hole { expression, at: hole }));
        at = end + CLOSE.len();
    }
    Ok(pieces)
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Template {}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Template").field(&self.text).finish()
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}
