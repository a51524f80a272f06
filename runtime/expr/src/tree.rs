//! Values of any shape in which the texts may have holes: the arguments of a call, the body of a request.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::error::ExprError;
use crate::syntax::{EscapedTemplate, FillError, Syntax};
use crate::template::Template;
use crate::types::{Scope, Type};

/// Deepest value that is read.
const DEPTH_MAX: usize = 32;

/// A value whose texts may have holes. A text that is nothing but one hole becomes the value itself, with its type.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateTree {
    root: Branch,
}

#[derive(Debug, Clone, PartialEq)]
enum Branch {
    /// A value without holes.
    Plain(Value),
    /// One hole and nothing else, in a text of no language.
    Alone(Template),
    Text(EscapedTemplate),
    List(Vec<Branch>),
    Table(Vec<(String, Branch)>),
}

/// A mistake in one of the texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeError {
    /// JSON pointer to the text.
    pub pointer: String,
    /// The mistake, with its place in that text.
    pub error: ExprError,
}

/// As it was written.
impl Serialize for TemplateTree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.root.serialize(serializer)
    }
}

impl Serialize for Branch {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(value) => value.serialize(serializer),
            Self::Alone(template) => template.serialize(serializer),
            Self::Text(text) => text.template().serialize(serializer),
            Self::List(items) => serializer.collect_seq(items),
            Self::Table(members) => serializer.collect_map(members.iter().map(|(name, branch)| (name, branch))),
        }
    }
}

impl TemplateTree {
    /// Reads a value. `syntax` gives the language of the text at a JSON pointer; texts are plain where it gives none.
    pub fn parse(value: &Value, syntax: &dyn Fn(&str) -> Option<Syntax>) -> Result<Self, Vec<TreeError>> {
        let mut reader = TreeReader { syntax, errors: Vec::new() };
        let root = reader.read(value, String::new(), 0);
        if reader.errors.is_empty() { Ok(Self { root }) } else { Err(reader.errors) }
    }

    /// Every mistake against the declared names.
    pub fn check(&self, scope: &Scope) -> Result<(), Vec<TreeError>> {
        let mut errors = Vec::new();
        self.root.each("", &mut |pointer, leaf| {
            let found = match leaf {
                Leaf::Alone(template) => template.check(scope).map(|_| ()),
                Leaf::Text(text) => text.check(scope),
            };
            let own = found.err().into_iter().flatten();
            errors.extend(own.map(|error| TreeError { pointer: pointer.to_owned(), error }));
        });
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// The templates in it, with their JSON pointers.
    pub fn templates(&self) -> Vec<(String, Template)> {
        let mut found = Vec::new();
        self.root.each("", &mut |pointer, leaf| {
            let template = match leaf {
                Leaf::Alone(template) => template,
                Leaf::Text(text) => text.template(),
            };
            if template.has_holes() {
                found.push((pointer.to_owned(), template.clone()));
            }
        });
        found
    }

    /// The type of the value at a JSON pointer where nothing but one hole stands.
    pub fn type_at(&self, pointer: &str, scope: &Scope) -> Option<Type> {
        let mut found = None;
        self.root.each("", &mut |own, leaf| {
            if let (true, Leaf::Alone(template)) = (own == pointer, leaf) {
                found = template.alone().and_then(|expression| expression.check(scope).ok());
            }
        });
        found
    }

    /// The value with the data filled in. A hole that is a whole value and cannot be told is an error.
    pub fn fill(&self, data: &Value) -> Result<Value, FillError> {
        self.root.fill(data, false).map(|filled| filled.unwrap_or(Value::Null))
    }

    /// As [`fill`](Self::fill), but a field of an object that is one hole and cannot be told is left out, as an optional
    /// argument that was not given.
    pub fn fill_known(&self, data: &Value) -> Result<Value, FillError> {
        self.root.fill(data, true).map(|filled| filled.unwrap_or(Value::Null))
    }
}

/// A text with holes.
enum Leaf<'a> {
    Alone(&'a Template),
    Text(&'a EscapedTemplate),
}

impl Branch {
    fn each(&self, pointer: &str, visit: &mut dyn FnMut(&str, Leaf<'_>)) {
        match self {
            Self::Plain(_) => {}
            Self::Alone(template) => visit(pointer, Leaf::Alone(template)),
            Self::Text(text) => visit(pointer, Leaf::Text(text)),
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    item.each(&format!("{pointer}/{index}"), visit);
                }
            }
            Self::Table(entries) => {
                for (key, value) in entries {
                    value.each(&format!("{pointer}/{key}"), visit);
                }
            }
        }
    }

    /// The value; nothing for a hole that cannot be told, where its key may be left out.
    fn fill(&self, data: &Value, leave_out: bool) -> Result<Option<Value>, FillError> {
        match self {
            Self::Plain(value) => Ok(Some(value.clone())),
            Self::Alone(template) => match template.value(data) {
                Ok(value) => Ok(Some(value)),
                Err(_) if leave_out => Ok(None),
                Err(why) => Err(FillError::CannotTell { hole: template.text().to_owned(), why }),
            },
            Self::Text(text) => text.fill(data).map(|filled| Some(Value::String(filled.text))),
            Self::List(items) => {
                // The place of an item counts, so none is left out.
                let items = items.iter().map(|item| Ok(item.fill(data, false)?.unwrap_or(Value::Null)));
                items.collect::<Result<Vec<_>, _>>().map(|items| Some(Value::Array(items)))
            }
            Self::Table(entries) => {
                let mut filled = Map::new();
                for (key, value) in entries {
                    if let Some(value) = value.fill(data, leave_out)? {
                        filled.insert(key.clone(), value);
                    }
                }
                Ok(Some(Value::Object(filled)))
            }
        }
    }
}

struct TreeReader<'a> {
    syntax: &'a dyn Fn(&str) -> Option<Syntax>,
    errors: Vec<TreeError>,
}

impl TreeReader<'_> {
    fn read(&mut self, value: &Value, pointer: String, depth: usize) -> Branch {
        if depth > DEPTH_MAX {
            let error = ExprError::new("", 0, "the value is nested too deeply", "flatten it");
            self.errors.push(TreeError { pointer, error });
            return Branch::Plain(Value::Null);
        }
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Branch::Plain(value.clone()),
            Value::String(text) => self.text(text, pointer),
            Value::Array(items) => {
                let item = |(index, item)| self.read(item, format!("{pointer}/{index}"), depth + 1);
                Branch::List(items.iter().enumerate().map(item).collect())
            }
            Value::Object(entries) => {
                let entry = |(key, value): (&String, &Value)| {
                    (key.clone(), self.read(value, format!("{pointer}/{key}"), depth + 1))
                };
                Branch::Table(entries.iter().map(entry).collect())
            }
        }
    }

    fn text(&mut self, text: &str, pointer: String) -> Branch {
        let syntax = (self.syntax)(&pointer);
        let read = Template::parse(text).and_then(|template| match syntax {
            _ if !template.has_holes() => Ok(Branch::Plain(Value::from(text))),
            None if template.alone().is_some() => Ok(Branch::Alone(template)),
            syntax => EscapedTemplate::new(template, syntax.unwrap_or(Syntax::Plain)).map(Branch::Text),
        });
        read.unwrap_or_else(|error| {
            self.errors.push(TreeError { pointer, error });
            Branch::Plain(Value::Null)
        })
    }
}
