//! From the tree to typed values, with every mistake of form: nothing stops at the first one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{PackError, nearest};
use crate::node::{At, Kind, Node, Place};

/// The mistakes found in one file.
#[derive(Debug)]
pub(crate) struct Log {
    pub(crate) file: PathBuf,
    pub(crate) errors: Vec<PackError>,
}

impl Log {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file, errors: Vec::new() }
    }

    pub(crate) fn report(&mut self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(PackError::at(&self.file, place, message, hint));
    }

    fn expected(&mut self, what: &str, node: &Node, hint: &str) {
        self.report(node.place, format!("expected {what}, found {}", node.describe()), hint);
    }
}

/// What can be read from a node.
pub(crate) trait Read: Sized {
    /// The value, or nothing after a mistake was reported.
    fn read(node: &Node, log: &mut Log) -> Option<Self>;

    /// What stands in for a value whose mistake was reported, so that the rest is read and checked all the same. Only
    /// for values no other check looks at.
    fn blank() -> Option<Self> {
        None
    }
}

/// A struct that is read from a table. Keys it does not have are refused; a field without a default is required.
macro_rules! table {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident { $($(#[$note:meta])* $seen:vis $field:ident: $type:ty $(= $default:expr)?),+ $(,)? }
    ) => {
        $(#[$meta])*
        $vis struct $name { $($(#[$note])* $seen $field: $type),+ }

        impl $crate::form::Read for $name {
            fn read(node: &$crate::node::Node, log: &mut $crate::form::Log) -> Option<Self> {
                let table = $crate::form::Table::open(node, &[$(stringify!($field)),+], log)?;
                $(let $field: Option<$type> = $crate::form::table!(@field table, log, $field $(, $default)?);)+
                Some(Self { $($field: $field?),+ })
            }
        }
    };
    (@field $table:ident, $log:ident, $field:ident) => { $table.required(stringify!($field), $log) };
    (@field $table:ident, $log:ident, $field:ident, $default:expr) => {
        Some($table.optional(stringify!($field), $log).unwrap_or_else(|| $default))
    };
}
pub(crate) use table;

/// A node known to be a table with none but these keys.
pub(crate) struct Table<'a>(&'a Node);

impl<'a> Table<'a> {
    /// Opens a table and refuses its unknown keys.
    pub(crate) fn open(node: &'a Node, known: &[&str], log: &mut Log) -> Option<Self> {
        let Kind::Table(entries) = &node.kind else {
            log.expected("a table", node, &format!("its keys are: {}", known.join(", ")));
            return None;
        };
        for (key, _) in entries.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            log.report(key.place, format!("unknown key `{}`", key.value), nearest(key, known.iter().copied()));
        }
        Some(Self(node))
    }

    pub(crate) fn required<T: Read>(&self, key: &str, log: &mut Log) -> Option<T> {
        let Some(node) = self.0.get(key) else {
            log.report(self.0.place, format!("the key `{key}` is missing"), format!("add `{key}:`"));
            return T::blank();
        };
        T::read(node, log).or_else(T::blank)
    }

    pub(crate) fn optional<T: Read>(&self, key: &str, log: &mut Log) -> Option<T> {
        T::read(self.0.get(key)?, log)
    }
}

/// A table with names of the user's own. A broken entry keeps its name, so that nothing else misses it.
#[derive(Debug, Default)]
pub(crate) struct Names<T>(Vec<(At<String>, Option<T>)>);

impl<T> Names<T> {
    /// All names, also of broken entries.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &At<String>> {
        self.0.iter().map(|(name, _)| name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.keys().any(|own| own.value == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&At<String>, &T)> {
        self.0.iter().filter_map(|(name, entry)| Some((name, entry.as_ref()?)))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.keys().map(|name| name.as_str())
    }
}

impl<T: Read> Read for Names<T> {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        let Kind::Table(entries) = &node.kind else {
            log.expected("a table of names", node, "write `name: …` lines, or {} for none");
            return None;
        };
        Some(Self(entries.iter().map(|(name, node)| (name.clone(), T::read(node, log))).collect()))
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        let names = Names::<T>::read(node, log)?;
        Some(names.0.into_iter().filter_map(|(name, entry)| Some((name.value, entry?))).collect())
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        let Kind::List(items) = &node.kind else {
            log.expected("a list", node, "write [a, b], or [] for none");
            return None;
        };
        Some(items.iter().filter_map(|item| T::read(item, log)).collect())
    }
}

impl<T: Read> Read for At<T> {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        T::read(node, log).map(|value| Self { value, place: node.place })
    }
}

impl<T: Read> Read for Option<T> {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        T::read(node, log).map(Some)
    }
}

impl Read for Node {
    fn read(node: &Node, _: &mut Log) -> Option<Self> {
        Some(node.clone())
    }
}

impl Read for String {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        match &node.kind {
            Kind::Scalar(Value::String(text)) | Kind::Supplied(text) if !text.trim().is_empty() => Some(text.clone()),
            Kind::Scalar(Value::String(_)) | Kind::Supplied(_) => {
                log.report(node.place, "the text is empty", "write one, or remove the key");
                None
            }
            Kind::Scalar(_) => {
                log.expected("a text", node, "put it in quotes");
                None
            }
            Kind::List(_) | Kind::Table(_) => {
                log.expected("a text", node, "write one value here");
                None
            }
        }
    }
}

impl Read for PathBuf {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        String::read(node, log).map(Self::from)
    }
}

impl Read for bool {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        if let Kind::Scalar(Value::Bool(value)) = node.kind {
            return Some(value);
        }
        log.expected("true or false", node, "write true or false, without quotes");
        None
    }

    fn blank() -> Option<Self> {
        Some(false)
    }
}

/// Whole numbers; one that came from outside the file is a text that holds it.
fn whole(node: &Node) -> Option<u64> {
    match &node.kind {
        Kind::Scalar(value) => value.as_u64(),
        Kind::Supplied(text) => text.parse().ok(),
        Kind::List(_) | Kind::Table(_) => None,
    }
}

macro_rules! whole_numbers {
    ($($type:ty),+) => {$(
        impl Read for $type {
            fn read(node: &Node, log: &mut Log) -> Option<Self> {
                let number = whole(node).and_then(|number| Self::try_from(number).ok());
                if number.is_none() {
                    log.expected("a whole number from 0", node, &format!("write one up to {}, without quotes", Self::MAX));
                }
                number
            }

            fn blank() -> Option<Self> {
                Some(1)
            }
        }
    )+};
}
whole_numbers!(u32, u64, usize);

impl Read for f64 {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        let number = if let Kind::Scalar(value) = &node.kind { value.as_f64() } else { None };
        if number.is_none() {
            log.expected("a number", node, "write one, without quotes");
        }
        number
    }
}

/// A confidence, from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Share(pub(crate) f64);

impl Read for Share {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        let number = f64::read(node, log)?;
        if (0.0..=1.0).contains(&number) {
            return Some(Self(number));
        }
        log.report(node.place, format!("{number} is no confidence"), "write a number from 0 to 1");
        None
    }
}

impl Read for Duration {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        const HINT: &str = "write it with its unit: 500ms, 30s, 5m, 1h";
        let Kind::Scalar(Value::String(text)) | Kind::Supplied(text) = &node.kind else {
            log.expected("a duration", node, HINT);
            return None;
        };
        let parsed = humantime::parse_duration(text);
        if let Err(error) = &parsed {
            log.report(node.place, format!("not a duration: {error}"), HINT);
        }
        parsed.ok()
    }

    fn blank() -> Option<Self> {
        Some(Self::from_secs(1))
    }
}

/// A word of a closed list.
pub(crate) fn word<T: DeserializeOwned>(node: &Node, log: &mut Log) -> Option<T> {
    let Kind::Scalar(value @ Value::String(_)) = &node.kind else {
        log.expected("a word", node, "write one of the words docs and examples give");
        return None;
    };
    serde_json::from_value(value.clone())
        .map_err(|error| log.report(node.place, error.to_string(), "write one of these words"))
        .ok()
}

/// Enums whose words `serde` knows.
macro_rules! words {
    ($($type:ty),+ $(,)?) => {$(
        impl $crate::form::Read for $type {
            fn read(node: &$crate::node::Node, log: &mut $crate::form::Log) -> Option<Self> {
                $crate::form::word(node, log)
            }
        }
    )+};
}
pub(crate) use words;
