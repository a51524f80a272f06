//! The types that names are declared with, and the names that an expression may read.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// Deepest schema that is read as types; what lies deeper may be anything.
const DEPTH_MAX: usize = 16;

/// What a value may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Nothing is known: fields of it are not checked.
    Any,
    /// What a condition must be: true or false.
    Bool,
    /// A number; there is one kind.
    Number,
    /// A string of characters that anybody may have written.
    Text,
    /// One of these words.
    Words(Vec<String>),
    /// One of the values of a named roster.
    Roster {
        /// The name that the pack gives the roster.
        name: String,
        /// The values that it allows, in the pack's order.
        values: Vec<String>,
    },
    /// A list of values of one type.
    List(Box<Type>),
    /// An object with these fields and no others.
    Object(BTreeMap<String, Type>),
    /// An object with any keys, whose values are of one type.
    Map(Box<Type>),
    /// A value that may be absent.
    Optional(Box<Type>),
}

impl Type {
    /// An object with these fields.
    pub fn object<'a>(fields: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        Self::Object(fields.into_iter().map(|(name, own)| (name.to_owned(), own)).collect())
    }

    /// One of these words.
    pub fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Words(words.into_iter().map(str::to_owned).collect())
    }

    /// A list of values of this type.
    #[must_use]
    pub fn list(self) -> Self {
        Self::List(Box::new(self))
    }

    /// A value of this type that may be absent.
    #[must_use]
    pub fn optional(self) -> Self {
        match self {
            Self::Optional(_) => self,
            other => Self::Optional(Box::new(other)),
        }
    }

    /// The type of a value that is there.
    pub fn present(&self) -> &Self {
        match self {
            Self::Optional(inner) => inner.present(),
            other => other,
        }
    }

    /// Whether nobody can write a sentence into a value of this type: it is a number, true or false, or one of a closed list.
    pub fn is_closed(&self) -> bool {
        match self.present() {
            Self::Bool | Self::Number | Self::Words(_) | Self::Roster { .. } => true,
            Self::Any | Self::Text | Self::List(_) | Self::Object(_) | Self::Map(_) | Self::Optional(_) => false,
        }
    }

    /// The closed list of values, if there is one.
    pub fn values(&self) -> Option<&[String]> {
        match self.present() {
            Self::Words(values) | Self::Roster { values, .. } => Some(values),
            Self::Any
            | Self::Bool
            | Self::Number
            | Self::Text
            | Self::List(_)
            | Self::Object(_)
            | Self::Map(_)
            | Self::Optional(_) => None,
        }
    }

    /// The type that a JSON Schema describes, as far as it is one of these. `roster` gives the values of a roster by name,
    /// for the keyword `x-roster`. A property that is not required may be absent.
    pub fn of_schema(schema: &Value, roster: &dyn Fn(&str) -> Option<Vec<String>>) -> Self {
        of_schema(schema, roster, DEPTH_MAX)
    }
}

fn of_schema(schema: &Value, roster: &dyn Fn(&str) -> Option<Vec<String>>, depth: usize) -> Type {
    let Some(rest) = depth.checked_sub(1) else { return Type::Any };
    if let Some(name) = schema.get("x-roster").and_then(Value::as_str) {
        let one = Type::Roster { name: name.to_owned(), values: roster(name).unwrap_or_default() };
        return if schema.get("type").is_some_and(|kind| kind == "array") { one.list() } else { one };
    }
    let words = schema.get("enum").and_then(Value::as_array);
    let words = words.map(|words| words.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    if let Some(Some(words)) = words {
        return Type::words(words);
    }
    let (name, may_be_null) = type_name(schema);
    let own = match name {
        Some("boolean") => Type::Bool,
        Some("number" | "integer") => Type::Number,
        Some("string") => Type::Text,
        Some("array") => schema.get("items").map_or(Type::Any, |items| of_schema(items, roster, rest)).list(),
        Some("object") => of_object(schema, roster, rest),
        Some(_) | None => Type::Any,
    };
    if may_be_null { own.optional() } else { own }
}

/// The one type besides null that a schema names, and whether it allows null.
fn type_name(schema: &Value) -> (Option<&str>, bool) {
    match schema.get("type") {
        Some(Value::String(name)) => (Some(name.as_str()), false),
        Some(Value::Array(names)) => {
            let mut others = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
            let first = others.next();
            let only = if others.next().is_some() { None } else { first };
            (only, names.iter().any(|name| name == "null"))
        }
        Some(_) | None => (None, false),
    }
}

fn of_object(schema: &Value, roster: &dyn Fn(&str) -> Option<Vec<String>>, depth: usize) -> Type {
    let more = schema.get("additionalProperties");
    let Some(properties) = schema.get("properties").and_then(Value::as_object).filter(|own| !own.is_empty()) else {
        return match more {
            Some(more @ Value::Object(_)) => Type::Map(Box::new(of_schema(more, roster, depth))),
            Some(Value::Bool(false)) => Type::Object(BTreeMap::new()),
            Some(_) | None => Type::Any,
        };
    };
    if more.is_some_and(|more| more.is_object() || *more == Value::Bool(true)) {
        return Type::Any;
    }
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|own| own == name));
    let field = |(name, own): (&String, &Value)| {
        let own = of_schema(own, roster, depth);
        (name.clone(), if is_required(name) { own } else { own.optional() })
    };
    Type::Object(properties.iter().map(field).collect())
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("a value of any kind"),
            Self::Bool => f.write_str("true or false"),
            Self::Number => f.write_str("a number"),
            Self::Text => f.write_str("a text"),
            Self::Words(words) => write!(f, "one of {}", words.join(", ")),
            Self::Roster { name, .. } => write!(f, "a value of the roster `{name}`"),
            Self::List(_) => f.write_str("a list"),
            Self::Object(_) | Self::Map(_) => f.write_str("an object"),
            Self::Optional(inner) => write!(f, "{inner}, or nothing"),
        }
    }
}

/// The names that an expression may read, each with its type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    names: BTreeMap<String, Type>,
}

impl Scope {
    /// The scope with one more name.
    #[must_use]
    pub fn with(mut self, name: &str, own: Type) -> Self {
        self.names.insert(name.to_owned(), own);
        self
    }

    /// The type of a name.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.names.get(name)
    }

    /// The names in the order of the alphabet.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// The type of what a path of names leads to, if all of them are declared.
    pub fn at(&self, path: &[String]) -> Option<&Type> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.get(first)?, |own, name| match own.present() {
            Type::Object(fields) => fields.get(name),
            Type::Map(value) => Some(&**value),
            Type::Any => Some(&Type::Any),
            Type::Bool
            | Type::Number
            | Type::Text
            | Type::Words(_)
            | Type::Roster { .. }
            | Type::List(_)
            | Type::Optional(_) => None,
        })
    }
}
