//! Expressions and templates: the one language of conditions, mappings and texts with holes.
//!
//! An [`Expression`] is a subset of CEL. It always ends, and a condition has three results ([`Judgement`]): true, false, and
//! *cannot tell*, when a value is absent or of another kind than needed. `&&` and `||` absorb what cannot be told: `false &&
//! x` is false whatever `x` is. There is one kind of number, a double. [`Expression::check`] compares an expression with the
//! names and types of its place ([`Scope`]) before anything is evaluated.
//!
//! A [`Template`] is a text with holes, `{{ expression }}`. In a text that another program parses ([`EscapedTemplate`]), each
//! hole is escaped for the place where it lands.
//!
//! Where CEL leaves more than one reading, this is ours: null counts as absent; values of different kinds do not compare, so
//! `1 == "1"` cannot be told; the pattern of `matches` is written in the expression.
//!
//! This crate is pure: no IO, no clock, no randomness. It knows no pack and no tool.

mod ast;
mod check;
mod datum;
mod error;
mod eval;
mod expression;
mod judgement;
mod lex;
mod limits;
mod number;
mod parse;
mod reads;
mod syntax;
mod template;
mod tree;
mod types;

pub use error::ExprError;
pub use expression::Expression;
pub use judgement::{CannotTell, Judgement};
pub use limits::{
    COMPREHENSIONS_MAX, DATA_MAX, HOLES_MAX, LIST_MAX, NESTING_MAX, NODES_MAX, PATTERNS_MAX, TEMPLATE_MAX, TEXT_MAX,
};
pub use reads::ReadPath;
pub use syntax::{EscapedTemplate, FillError, FilledText, HOLE_MAX, Syntax};
pub use template::{Template, UNKNOWN, refuse_holes};
pub use tree::{TemplateTree, TreeError};
pub use types::{Scope, Type};
