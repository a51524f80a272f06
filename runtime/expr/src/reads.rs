//! What an expression reads.

use std::fmt;

use crate::ast::{Ast, Shape};

/// A path of names that an expression reads, as far as it is written: `fields.service`, `report.hypotheses`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadPath {
    /// The names, the declared one first. A written key in brackets counts as a name; an index ends the path.
    pub names: Vec<String>,
    /// Bytes of the text before the last of the names.
    pub offset: usize,
}

impl fmt::Display for ReadPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join("."))
    }
}

/// All paths of a tree, in the order of the text. The items of comprehensions are part of the list that is read.
pub(crate) fn reads(root: &Ast) -> Vec<ReadPath> {
    let mut found = Vec::new();
    collect(root, None, &mut found);
    found.sort_by_key(|path| path.offset);
    found
}

fn collect(ast: &Ast, item: Option<&str>, found: &mut Vec<ReadPath>) {
    match path(ast) {
        Some(path) if path.names.first().map(String::as_str) == item => {}
        Some(path) => found.push(path),
        None => match &ast.shape {
            Shape::Walk { over, variable, body, filter, .. } => {
                collect(over, item, found);
                [Some(body), filter.as_ref()].into_iter().flatten().for_each(|part| {
                    collect(part, Some(variable), found);
                });
            }
            _ => ast.parts().into_iter().for_each(|part| collect(part, item, found)),
        },
    }
}

/// The path that a tree is, if it is nothing else.
pub(crate) fn path(ast: &Ast) -> Option<ReadPath> {
    match &ast.shape {
        Shape::Name(name) => Some(ReadPath { names: vec![name.clone()], offset: ast.at }),
        Shape::Field { of, name, .. } => extended(of, name, ast.at),
        Shape::Index { of, by, .. } => match &by.shape {
            Shape::Text(name) => extended(of, name, ast.at),
            _ => None,
        },
        _ => None,
    }
}

fn extended(of: &Ast, name: &str, offset: usize) -> Option<ReadPath> {
    let mut path = path(of)?;
    path.names.push(name.to_owned());
    path.offset = offset;
    Some(path)
}
