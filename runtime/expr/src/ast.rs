//! The tree of an expression.

use std::fmt;

use regex::Regex;

/// A part of an expression with its place.
#[derive(Debug, Clone)]
pub(crate) struct Ast {
    pub(crate) shape: Shape,
    /// Bytes of the text before what names it: for a field its name, for an operator its sign.
    pub(crate) at: usize,
    /// The longest way down to a leaf; 1 for a leaf.
    pub(crate) height: usize,
}

/// What a part is.
#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Name(String),
    List(Vec<Ast>),
    /// A table with written keys.
    Table(Vec<(String, Ast)>),
    Field {
        of: Box<Ast>,
        name: String,
        /// Written `.?name`: it may be absent.
        optional: bool,
    },
    Index {
        of: Box<Ast>,
        by: Box<Ast>,
        optional: bool,
    },
    Not(Box<Ast>),
    Minus(Box<Ast>),
    /// Parts joined by `&&`.
    All(Vec<Ast>),
    /// Parts joined by `||`.
    Any(Vec<Ast>),
    Binary(Operator, Box<Ast>, Box<Ast>),
    Choice(Box<Ast>, Box<Ast>, Box<Ast>),
    Call(Function, Vec<Ast>),
    /// Whether a text matches a pattern that is written in the expression.
    Matches(Box<Ast>, Box<Regex>),
    Walk {
        walk: Comprehension,
        over: Box<Ast>,
        variable: String,
        /// The condition; of `map` what is made of an item.
        body: Box<Ast>,
        /// The condition of a `map` with three arguments.
        filter: Option<Box<Ast>>,
    },
}

/// An operator between two parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
}

impl Operator {
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::In => "in",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Over => "/",
            Self::Modulo => "%",
        }
    }
}

/// A function that evaluates its arguments first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Has,
    Size,
    Min,
    Max,
    /// The text that a number or a truth value prints as.
    ToText,
    /// The number that a text holds.
    ToNumber,
    Contains,
    StartsWith,
    EndsWith,
    OrValue,
}

/// The function and method names with the number of arguments that each takes, a method's own value included.
pub(crate) const FUNCTIONS: [(&str, Function, usize, usize); 6] = [
    ("has", Function::Has, 1, 1),
    ("size", Function::Size, 1, 1),
    ("min", Function::Min, 1, 8),
    ("max", Function::Max, 1, 8),
    ("string", Function::ToText, 1, 1),
    ("double", Function::ToNumber, 1, 1),
];
/// Methods, called on a value.
pub(crate) const METHODS: [(&str, Function, usize, usize); 5] = [
    ("size", Function::Size, 1, 1),
    ("contains", Function::Contains, 2, 2),
    ("startsWith", Function::StartsWith, 2, 2),
    ("endsWith", Function::EndsWith, 2, 2),
    ("orValue", Function::OrValue, 2, 2),
];
/// The method that takes a pattern.
pub(crate) const MATCHES: &str = "matches";

/// What is done with the items of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comprehension {
    Exists,
    All,
    ExistsOne,
    Filter,
    Map,
}

/// The comprehensions by name.
pub(crate) const WALKS: [(&str, Comprehension); 5] = [
    ("exists", Comprehension::Exists),
    ("all", Comprehension::All),
    ("exists_one", Comprehension::ExistsOne),
    ("filter", Comprehension::Filter),
    ("map", Comprehension::Map),
];

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = FUNCTIONS.iter().chain(&METHODS).find(|row| row.1 == *self).map_or("", |row| row.0);
        f.write_str(name)
    }
}

impl fmt::Display for Comprehension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(WALKS.iter().find(|row| row.1 == *self).map_or("", |row| row.0))
    }
}

impl Ast {
    /// The parts directly below.
    pub(crate) fn parts(&self) -> Vec<&Self> {
        match &self.shape {
            Shape::Null | Shape::Bool(_) | Shape::Number(_) | Shape::Text(_) | Shape::Name(_) => Vec::new(),
            Shape::List(items) | Shape::All(items) | Shape::Any(items) | Shape::Call(_, items) => {
                items.iter().collect()
            }
            Shape::Table(entries) => entries.iter().map(|(_, value)| value).collect(),
            Shape::Field { of, .. } => vec![of],
            Shape::Not(one) | Shape::Minus(one) | Shape::Matches(one, _) => vec![one],
            Shape::Index { of, by, .. } => vec![of, by],
            Shape::Binary(_, left, right) => vec![left, right],
            Shape::Choice(condition, yes, no) => vec![condition, yes, no],
            Shape::Walk { over, body, filter, .. } => {
                [over, body].into_iter().chain(filter).map(|part| &**part).collect()
            }
        }
    }
}
