//! Arguments as a model meant them, read by the tool's schema: what its types leave one reading for is made that, everything
//! else stays as written for the schema to refuse.

use serde_json::{Map, Number, Value};

use crate::lenient::{self, NonFinite};
use crate::nesting;
use crate::wire::{NO_ARGUMENTS, wire_key};

/// The keys models wrap all arguments in.
const WRAPPERS: [&str; 5] = ["arguments", "parameters", "args", "input", "properties"];
/// How deep arguments are read; deeper ones stay as written.
const DEEP_MAX: usize = 32;
/// How many references in a row are followed.
const REFERENCES_MAX: usize = 8;

/// The arguments read by a schema.
pub fn decoded(schema: &Value, args: &Map<String, Value>) -> Map<String, Value> {
    let reader = SchemaReader { root: schema };
    let args = unwrapped(schema, args);
    match reader.read(schema, Value::Object(args.clone()), DEEP_MAX) {
        // What was a text may be nested deeper than arguments may be.
        Value::Object(read) if read.values().all(|value| nesting::fits(value, nesting::LEVELS_MAX - 1)) => read,
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            args.clone()
        }
    }
}

/// Any value read by a schema.
pub fn decoded_value(schema: &Value, value: &Value) -> Value {
    SchemaReader { root: schema }.read(schema, value.clone(), DEEP_MAX)
}

/// The arguments inside the one key they are wrapped in, unless the schema declares that key.
fn unwrapped<'a>(schema: &Value, args: &'a Map<String, Value>) -> &'a Map<String, Value> {
    let declared = |key: &str| schema.get("properties").is_some_and(|properties| properties.get(key).is_some());
    let mut entries = args.iter();
    match (entries.next(), entries.next()) {
        (Some((key, Value::Object(inner))), None) if WRAPPERS.contains(&key.as_str()) && !declared(key) => inner,
        (Some(_) | None, _) => args,
    }
}

/// The kinds of JSON a schema allows, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Kinds(u8);

impl Kinds {
    const NULL: Self = Self(1);
    const BOOLEAN: Self = Self(2);
    const INTEGER: Self = Self(4);
    /// Numbers with a fraction; whole ones beside them are `INTEGER`.
    const FRACTION: Self = Self(8);
    const STRING: Self = Self(16);
    const ARRAY: Self = Self(32);
    const OBJECT: Self = Self(64);
    const NUMBER: Self = Self(Self::INTEGER.0 | Self::FRACTION.0);
    const ANY: Self = Self(127);

    fn of_word(word: &str) -> Self {
        match word {
            "null" => Self::NULL,
            "boolean" => Self::BOOLEAN,
            "integer" => Self::INTEGER,
            "number" => Self::NUMBER,
            "string" => Self::STRING,
            "array" => Self::ARRAY,
            "object" => Self::OBJECT,
            _ => Self::default(),
        }
    }

    /// The kind of a value; a number is whole unless it is written with a fraction.
    fn of_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(number) if number.is_f64() => Self::FRACTION,
            Value::Number(_) => Self::INTEGER,
            Value::String(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn has(self, kind: Self) -> bool {
        self.0 & kind.0 == kind.0
    }

    fn allow(self, value: &Value) -> bool {
        self.has(Self::of_value(value))
    }
}

struct SchemaReader<'a> {
    root: &'a Value,
}

impl<'a> SchemaReader<'a> {
    /// The schema a reference leads to.
    fn resolved(&self, mut schema: &'a Value) -> &'a Value {
        for _ in 0..REFERENCES_MAX {
            let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#'));
            match target.and_then(|pointer| self.root.pointer(pointer)) {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }

    fn branches(schema: &'a Value) -> Option<&'a Vec<Value>> {
        ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array())
    }

    fn kinds(&self, schema: &'a Value, deep: usize) -> Kinds {
        let Some(deep) = deep.checked_sub(1) else { return Kinds::ANY };
        let schema = self.resolved(schema);
        let join = |all: Kinds, kinds: Kinds| all.or(kinds);
        match schema.get("type") {
            Some(Value::String(word)) => return Kinds::of_word(word),
            Some(Value::Array(words)) => {
                return words.iter().filter_map(Value::as_str).map(Kinds::of_word).fold(Kinds::default(), join);
            }
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {}
        }
        if let Some(value) = schema.get("const") {
            return Kinds::of_value(value);
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return values.iter().map(Kinds::of_value).fold(Kinds::default(), join);
        }
        if let Some(branches) = Self::branches(schema) {
            return branches.iter().map(|branch| self.kinds(branch, deep)).fold(Kinds::default(), join);
        }
        if schema.get("properties").is_some() {
            return Kinds::of_word("object");
        }
        Kinds::ANY
    }

    fn read(&self, schema: &'a Value, value: Value, deep: usize) -> Value {
        let Some(deep) = deep.checked_sub(1) else { return value };
        let mut schema = self.resolved(schema);
        if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
            return all.iter().fold(value, |value, part| self.read(part, value, deep));
        }
        let value = self.fitted(schema, value, deep);
        if let Some(branches) = Self::branches(schema) {
            let mut fitting = branches.iter().filter(|branch| self.kinds(branch, deep).allow(&value));
            match (fitting.next(), fitting.next()) {
                (Some(branch), None) => schema = self.resolved(branch),
                (Some(_) | None, _) => return value,
            }
            return self.read(schema, value, deep);
        }
        match value {
            Value::Object(object) => Value::Object(self.members(schema, object, deep)),
            Value::Array(items) => match schema.get("items") {
                Some(of_items) => items.into_iter().map(|item| self.read(of_items, item, deep)).collect(),
                None => items.into_iter().map(structure).collect(),
            },
            Value::String(text) => one_of(schema, text),
            Value::Null | Value::Bool(_) | Value::Number(_) => value,
        }
    }

    /// The value as a kind that the schema allows.
    fn fitted(&self, schema: &'a Value, value: Value, deep: usize) -> Value {
        let kinds = self.kinds(schema, deep);
        if kinds == Kinds::ANY {
            return structure(value);
        }
        if kinds.allow(&value) {
            return value;
        }
        let read = match &value {
            Value::String(text) => parsed(text).map(|read| whole(read, kinds)).filter(|read| kinds.allow(read)),
            Value::Number(number) if kinds.has(Kinds::STRING) && !kinds.has(Kinds::FRACTION) => {
                Some(Value::String(number.to_string()))
            }
            Value::Number(_) => Some(whole(value.clone(), kinds)).filter(|read| kinds.allow(read)),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        read.or_else(|| self.alone(schema, &value, kinds, deep)).unwrap_or(value)
    }

    /// A list of the one value that stands where a list is due.
    fn alone(&self, schema: &'a Value, value: &Value, kinds: Kinds, deep: usize) -> Option<Value> {
        let of_items = self.kinds(schema.get("items")?, deep);
        let several = value.as_str().is_some_and(|text| text.contains([',', ';', '\n', '[']) || text.trim().is_empty());
        (kinds.has(Kinds::ARRAY) && of_items.allow(value) && !value.is_null() && !several)
            .then(|| Value::Array(vec![value.clone()]))
    }

    fn members(&self, schema: &'a Value, object: Map<String, Value>, deep: usize) -> Map<String, Value> {
        let properties = schema.get("properties").and_then(Value::as_object);
        let required = schema.get("required").and_then(Value::as_array);
        let is_required = |key: &str| required.is_some_and(|keys| keys.iter().any(|own| own == key));
        let mut read = Map::new();
        for (key, value) in object {
            let key = match properties {
                Some(known) if !known.contains_key(&key) => match own_key(known, &key) {
                    Some(own) => own,
                    None if key == NO_ARGUMENTS => continue,
                    None => key,
                },
                None if key == NO_ARGUMENTS => continue,
                Some(_) | None => key,
            };
            let of_value = properties.and_then(|all| all.get(&key)).or_else(|| schema.get("additionalProperties"));
            let Some(of_value) = of_value.filter(|schema| schema.is_object()) else {
                read.insert(key, value);
                continue;
            };
            // What is optional may be written as null: it is left out.
            if value.is_null() && !is_required(&key) && !self.kinds(of_value, deep).has(Kinds::NULL) {
                continue;
            }
            read.insert(key, self.read(of_value, value, deep));
        }
        // What may be null need not be given on the wire.
        for key in required
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter(|key| !read.contains_key(*key))
            .collect::<Vec<_>>()
        {
            let kinds = properties.and_then(|all| all.get(key)).map(|schema| self.kinds(schema, deep));
            if kinds.is_some_and(|kinds| kinds.has(Kinds::NULL) && kinds != Kinds::ANY) {
                read.insert(key.to_owned(), Value::Null);
            }
        }
        read
    }
}

/// The property that has this name on the wire.
fn own_key(known: &Map<String, Value>, wire: &str) -> Option<String> {
    known.keys().find(|own| wire_key(own) == wire).cloned()
}

/// A text that is JSON, or a word of Python for true and false.
fn parsed(text: &str) -> Option<Value> {
    let bare = lenient::unfenced(text.trim());
    let read = lenient::json(bare, NonFinite::Refused);
    read.or_else(|| match bare.to_ascii_lowercase().as_str() {
        "true" => Some(Value::Bool(true)),
        "false" => Some(Value::Bool(false)),
        _ => None,
    })
}

/// A whole number that is written with a fraction of nothing, where only whole numbers are allowed.
fn whole(value: Value, kinds: Kinds) -> Value {
    /// Beyond this, floating numbers leave out whole ones.
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    if kinds.has(Kinds::FRACTION) || !kinds.has(Kinds::INTEGER) {
        return value;
    }
    let float = value.as_f64().filter(|float| value.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT_MAX);
    let text = float.map(|float| format!("{float:.0}"));
    text.and_then(|text| text.parse::<i64>().ok()).map_or(value, |whole| Value::Number(Number::from(whole)))
}

/// Where anything is allowed, a text that holds an object or a list is that: the wire asks for it so.
fn structure(value: Value) -> Value {
    let text = value.as_str().map(str::trim).filter(|text| text.starts_with(['{', '[']));
    match text.and_then(parsed) {
        Some(read @ (Value::Object(_) | Value::Array(_))) => read,
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => value,
    }
}

/// A word of a closed list, whatever its letters' size and the space around it.
fn one_of(schema: &Value, text: String) -> Value {
    let Some(words) = schema.get("enum").and_then(Value::as_array) else { return Value::String(text) };
    let mut words = words.iter().filter_map(Value::as_str);
    if words.clone().any(|word| word == text) {
        return Value::String(text);
    }
    let wanted = text.trim().to_lowercase();
    let found = words.clone().filter(|word| word.to_lowercase() == wanted).count();
    let own = words.find(|word| word.to_lowercase() == wanted).filter(|_| found == 1);
    Value::String(own.map_or(text, str::to_owned))
}

#[cfg(test)]
mod tests;
