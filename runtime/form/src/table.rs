//! A table with keys of the program's own.

use crate::error::{ErrorLog, nearest};
use crate::node::YamlNode;
use crate::read::{FromYaml, take};

/// Declares a struct that is read from a table; its fields are the table's keys. Unknown keys are refused; a field without a
/// default is required.
#[macro_export]
macro_rules! table {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident { $($(#[$note:meta])* $seen:vis $field:ident: $type:ty $(= $default:expr)?),+ $(,)? }
    ) => {
        $(#[$meta])*
        $vis struct $name { $($(#[$note])* $seen $field: $type),+ }

        impl $crate::FromYaml for $name {
            fn read(node: &$crate::YamlNode, log: &mut $crate::ErrorLog) -> Option<Self> {
                let table = $crate::Table::open(node, &[$(stringify!($field)),+], log)?;
                Some(Self { $($field: $crate::table!(@read table, log, $field $(, $default)?)),+ })
            }
            fn schema() -> $crate::Json {
                $crate::TableSchema::default()
                    $(.key(
                        stringify!($field),
                        <$type as $crate::FromYaml>::schema(),
                        $crate::table!(@required $($default)?),
                        &[$(stringify!($note)),*],
                    ))+
                    .finish()
            }

            fn blank() -> Self {
                Self { $($field: $crate::table!(@blank $($default)?)),+ }
            }
        }
    };
    (@read $table:ident, $log:ident, $field:ident) => { $table.required(stringify!($field), $log) };
    (@read $table:ident, $log:ident, $field:ident, $default:expr) => {
        $table.optional(stringify!($field), $log).unwrap_or_else(|| $default)
    };
    (@required) => { true };
    (@required $default:expr) => { false };
    (@blank) => { $crate::FromYaml::blank() };
    (@blank $default:expr) => { $default };
}

/// A node that is a table, with its unknown keys reported.
#[derive(Debug)]
pub struct Table<'a>(&'a YamlNode);

impl<'a> Table<'a> {
    /// Opens a table and reports every key that is not one of these. Nothing when the node is not a table.
    pub fn open(node: &'a YamlNode, known: &[&str], log: &mut ErrorLog) -> Option<Self> {
        if !node.is_table() {
            log.expected("a table", node, &format!("its keys are: {}", known.join(", ")));
            return None;
        }
        for (key, _) in node.entries().filter(|(key, _)| !known.contains(&key.as_str())) {
            log.report(key.place, format!("unknown key `{}`", key.value), nearest(key, known.iter().copied()));
        }
        Some(Self(node))
    }

    /// The value of a key that must be there; its stand-in after a reported error.
    pub fn required<T: FromYaml>(&self, key: &str, log: &mut ErrorLog) -> T {
        self.optional(key, log).unwrap_or_else(|| {
            log.report(self.0.place, format!("the key `{key}` is missing"), format!("add `{key}:`"));
            T::blank()
        })
    }

    /// The value of a key, if it is there; its stand-in where it could not be read.
    pub fn optional<T: FromYaml>(&self, key: &str, log: &mut ErrorLog) -> Option<T> {
        self.get(key).map(|node| take(node, log))
    }

    /// The node under a key, if it is there.
    pub fn get(&self, key: &str) -> Option<&'a YamlNode> {
        self.0.get(key)
    }
}
