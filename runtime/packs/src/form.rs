//! From the tree to typed values, with every mistake of form: nothing stops at the first one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::error::{PackError, nearest};
use crate::node::{At, Kind, Node, Place};

/// The mistakes found in one file.
#[derive(Debug)]
pub(crate) struct Log {
    file: PathBuf,
    pub(crate) errors: Vec<PackError>,
}

impl Log {
    pub(crate) fn new(file: PathBuf) -> Self {
        Self { file, errors: Vec::new() }
    }

    pub(crate) fn report(&mut self, place: Place, message: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(PackError::at(&self.file, place, message, hint));
    }

    /// Reports that a node is not what has to stand there.
    pub(crate) fn expected(&mut self, what: &str, node: &Node, hint: &str) {
        self.report(node.place, format!("expected {what}, found {}", node.describe()), hint);
    }
}

/// What can be read from a node.
pub(crate) trait Read: Sized {
    /// The value, or nothing after a mistake was reported.
    fn read(node: &Node, log: &mut Log) -> Option<Self>;

    /// What stands in for a value whose mistake was reported, so that the rest is read and checked all the same.
    fn blank() -> Self;
}

/// Reads a node, and goes on with a stand-in after a mistake.
pub(crate) fn take<T: Read>(node: &Node, log: &mut Log) -> T {
    T::read(node, log).unwrap_or_else(T::blank)
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
                Some(Self { $($field: $crate::form::table!(@read table, log, $field $(, $default)?)),+ })
            }

            fn blank() -> Self {
                Self { $($field: $crate::form::table!(@blank $($default)?)),+ }
            }
        }
    };
    (@read $table:ident, $log:ident, $field:ident) => { $table.required(stringify!($field), $log) };
    (@read $table:ident, $log:ident, $field:ident, $default:expr) => {
        $table.optional(stringify!($field), $log).unwrap_or_else(|| $default)
    };
    (@blank) => { $crate::form::Read::blank() };
    (@blank $default:expr) => { $default };
}
pub(crate) use table;

/// A node known to be a table with none but these keys.
pub(crate) struct Table<'a>(&'a Node);

impl<'a> Table<'a> {
    /// Opens a table and refuses its unknown keys.
    pub(crate) fn open(node: &'a Node, known: &[&str], log: &mut Log) -> Option<Self> {
        if !matches!(node.kind, Kind::Table(_)) {
            log.expected("a table", node, &format!("its keys are: {}", known.join(", ")));
            return None;
        }
        for (key, _) in node.entries().filter(|(key, _)| !known.contains(&key.as_str())) {
            log.report(key.place, format!("unknown key `{}`", key.value), nearest(key, known.iter().copied()));
        }
        Some(Self(node))
    }

    pub(crate) fn required<T: Read>(&self, key: &str, log: &mut Log) -> T {
        self.optional(key, log).unwrap_or_else(|| {
            log.report(self.0.place, format!("the key `{key}` is missing"), format!("add `{key}:`"));
            T::blank()
        })
    }

    pub(crate) fn optional<T: Read>(&self, key: &str, log: &mut Log) -> Option<T> {
        self.0.get(key).map(|node| take(node, log))
    }
}

/// A table with names of the user's own.
#[derive(Debug)]
pub(crate) struct Names<T> {
    entries: Vec<(At<String>, T)>,
    /// Stands in for a table that is missing or could not be read.
    blank: bool,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), blank: false }
    }
}

impl<T> Names<T> {
    /// Whether it only stands in for a table, so that nothing can be said about names.
    pub(crate) fn is_blank(&self) -> bool {
        self.blank
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&At<String>, &T)> {
        self.entries.iter().map(|(name, entry)| (name, entry))
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &At<String>> {
        self.iter().map(|(name, _)| name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.keys().map(|name| name.as_str())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.iter().find(|(own, _)| own.value == name).map(|(_, entry)| entry)
    }

    /// The names with what is made of each entry.
    pub(crate) fn map<U>(&self, make: impl Fn(&T) -> U) -> BTreeMap<String, U> {
        self.iter().map(|(name, entry)| (name.value.clone(), make(entry))).collect()
    }
}

impl<T: Read> Read for Names<T> {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        if !matches!(node.kind, Kind::Table(_)) {
            log.expected("a table of names", node, "write `name: …` lines, or {} for none");
            return None;
        }
        let entries = node.entries().map(|(name, node)| (name.clone(), take(node, log))).collect();
        Some(Self { entries, blank: false })
    }

    fn blank() -> Self {
        Self { entries: Vec::new(), blank: true }
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        let names = Names::<T>::read(node, log)?;
        Some(names.entries.into_iter().map(|(name, entry)| (name.value, entry)).collect())
    }

    fn blank() -> Self {
        Self::new()
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        if !matches!(node.kind, Kind::List(_)) {
            log.expected("a list", node, "write [a, b], or [] for none");
            return None;
        }
        Some(node.items().iter().map(|item| take(item, log)).collect())
    }

    fn blank() -> Self {
        Self::new()
    }
}

impl<T: Read> Read for At<T> {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        T::read(node, log).map(|value| Self { value, place: node.place })
    }

    fn blank() -> Self {
        Self { value: T::blank(), place: Place::default() }
    }
}

/// What is there and could not be read is there all the same.
impl<T: Read> Read for Option<T> {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        Some(Some(take(node, log)))
    }

    fn blank() -> Self {
        None
    }
}

impl Read for Node {
    fn read(node: &Node, _: &mut Log) -> Option<Self> {
        Some(node.clone())
    }

    fn blank() -> Self {
        Self { place: Place::default(), kind: Kind::Table(Vec::new()) }
    }
}
