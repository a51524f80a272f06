//! Single values: texts, numbers, durations, words.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::error::{ErrorLog, nearest};
use crate::node::{NodeKind, YamlNode};
use crate::read::FromYaml;

/// Longest duration: a wait of more than a year is a mistake.
const DURATION_MAX: Duration = Duration::from_hours(366 * 24);
/// Highest cost in US dollars.
const COST_MAX: f64 = 1e9;

impl FromYaml for String {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        match &node.kind {
            NodeKind::Scalar(Value::String(text)) | NodeKind::Supplied(text) if !text.trim().is_empty() => {
                Some(text.clone())
            }
            NodeKind::Scalar(Value::String(_)) | NodeKind::Supplied(_) => {
                log.report(node.place, "the text is empty", "write one, or remove the key");
                None
            }
            NodeKind::Scalar(_) => {
                log.expected("a text", node, "write one, in quotes if it looks like something else");
                None
            }
            NodeKind::List(_) | NodeKind::Table(_) => {
                log.expected("a text", node, "write one value here");
                None
            }
        }
    }

    fn schema() -> Value {
        json!({"type": "string", "minLength": 1})
    }

    fn blank() -> Self {
        Self::new()
    }
}

/// A relative path starts from the folder of the file it is written in.
impl FromYaml for PathBuf {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        String::read(node, log).map(|path| log.folder().join(path))
    }

    fn schema() -> Value {
        String::schema()
    }

    fn blank() -> Self {
        Self::new()
    }
}

impl FromYaml for SocketAddr {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        const HINT: &str = "write the address of one interface and a port: 127.0.0.1:7878, or \"[::1]:7878\"";
        let text = String::read(node, log)?;
        let refused = |_| log.report(node.place, "not an address to listen on", HINT);
        text.parse().map_err(refused).ok()
    }

    fn schema() -> Value {
        String::schema()
    }

    fn blank() -> Self {
        Self::from(([127, 0, 0, 1], 0))
    }
}

impl FromYaml for bool {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if let NodeKind::Scalar(Value::Bool(value)) = node.kind {
            return Some(value);
        }
        log.expected("true or false", node, "write true or false, without quotes");
        None
    }

    fn schema() -> Value {
        json!({"type": "boolean"})
    }

    fn blank() -> Self {
        false
    }
}

/// A whole number; one from the environment is a text that holds it.
fn whole(node: &YamlNode, least: u64, most: u64, log: &mut ErrorLog) -> Option<u64> {
    let number = match &node.kind {
        NodeKind::Scalar(value) => value.as_u64(),
        NodeKind::Supplied(text) => text.parse().ok(),
        NodeKind::List(_) | NodeKind::Table(_) => None,
    };
    let number = number.filter(|number| (least..=most).contains(number));
    if number.is_none() {
        log.expected(&format!("a whole number from {least}"), node, &format!("write one up to {most}, without quotes"));
    }
    number
}

/// A whole number from `LEAST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count<const LEAST: u32>(
    /// The number.
    pub u32,
);

impl<const LEAST: u32> FromYaml for Count<LEAST> {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let number = whole(node, LEAST.into(), u32::MAX.into(), log)?;
        u32::try_from(number).ok().map(Self)
    }

    fn schema() -> Value {
        json!({"type": "integer", "minimum": LEAST})
    }

    fn blank() -> Self {
        Self(LEAST)
    }
}

impl FromYaml for NonZeroU64 {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        // Stores keep signed numbers.
        Self::new(whole(node, 1, u64::MAX >> 1, log)?)
    }

    fn schema() -> Value {
        json!({"type": "integer", "minimum": 1})
    }

    fn blank() -> Self {
        Self::MIN
    }
}

fn number(node: &YamlNode, log: &mut ErrorLog) -> Option<f64> {
    let number = if let NodeKind::Scalar(value) = &node.kind { value.as_f64() } else { None };
    if number.is_none() {
        log.expected("a number", node, "write one, without quotes");
    }
    number
}

/// A confidence, from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub struct Share(
    /// The number.
    pub f64,
);

impl FromYaml for Share {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let number = number(node, log)?;
        if (0.0..=1.0).contains(&number) {
            return Some(Self(number));
        }
        log.report(node.place, format!("{number} is not a confidence"), "write a number from 0 to 1");
        None
    }

    fn schema() -> Value {
        json!({"type": "number", "minimum": 0, "maximum": 1})
    }

    fn blank() -> Self {
        Self(0.0)
    }
}

/// A sum in millionths of a US dollar, written in dollars.
#[derive(Debug, Clone, Copy)]
pub struct Cost(
    /// Millionths of a US dollar.
    pub u64,
);

impl FromYaml for Cost {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let dollars = number(node, log)?;
        let micro = (dollars * 1_000_000.0).round();
        if micro >= 1.0 && dollars <= COST_MAX {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "its range was checked above"
            )]
            return Some(Self(micro as u64));
        }
        log.report(node.place, format!("{dollars} is not a limit of a cost"), "write dollars above 0");
        None
    }

    fn schema() -> Value {
        json!({"type": "number", "exclusiveMinimum": 0})
    }

    fn blank() -> Self {
        Self(0)
    }
}

impl FromYaml for Duration {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        const HINT: &str = "write it with its unit: 500ms, 30s, 5m, 1h";
        let (NodeKind::Scalar(Value::String(text)) | NodeKind::Supplied(text)) = &node.kind else {
            log.expected("a duration", node, HINT);
            return None;
        };
        match humantime::parse_duration(text) {
            Ok(duration) if duration <= DURATION_MAX => Some(duration),
            Ok(_) => {
                log.report(node.place, "the duration is longer than a year", HINT);
                None
            }
            Err(error) => {
                log.report(node.place, format!("not a duration: {error}"), HINT);
                None
            }
        }
    }

    fn schema() -> Value {
        json!({"type": "string", "pattern": "^[0-9]+ ?[a-zµ]"})
    }

    fn blank() -> Self {
        Self::ZERO
    }
}

/// A duration of at least a millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(
    /// The duration.
    pub Duration,
);

impl FromYaml for Period {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let duration = Duration::read(node, log)?;
        if duration >= Duration::from_millis(1) {
            return Some(Self(duration));
        }
        log.report(node.place, "the duration is zero", "write at least 1ms");
        None
    }

    fn schema() -> Value {
        Duration::schema()
    }

    fn blank() -> Self {
        Self(Duration::ZERO)
    }
}

/// A word of a closed list, which `serde` knows.
pub fn word<T: DeserializeOwned>(node: &YamlNode, log: &mut ErrorLog) -> Option<T> {
    let read = |value: &str| serde_json::from_value::<T>(value.into());
    let Some(text) = node.text() else {
        log.expected("a word", node, &hint_of("", read("").err().as_ref()));
        return None;
    };
    let refused = |error: serde_json::Error| {
        log.report(node.place, format!("`{text}` is not known here"), hint_of(text, Some(&error)));
    };
    read(text).map_err(refused).ok()
}

/// The words of an enum, as `serde` knows them, as JSON Schema.
pub fn word_schema<T: DeserializeOwned>() -> Value {
    let error = serde_json::from_value::<T>("".into()).err();
    let words: Vec<String> = error.as_ref().map(words_in).unwrap_or_default();
    json!({"enum": words})
}

/// The words that `serde` names in its error, each between backticks.
fn words_in(error: &serde_json::Error) -> Vec<String> {
    let error = error.to_string();
    let expected = error.rsplit_once("expected").map(|(_, words)| words).unwrap_or_default();
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The nearest of the words that `serde` names in its error, each between backticks after the wrong one.
fn hint_of(wrong: &str, error: Option<&serde_json::Error>) -> String {
    let words = error.map(words_in).unwrap_or_default();
    nearest(wrong, words.iter().map(String::as_str))
}

/// Makes the words of an enum readable that `serde` knows: an enum of this crate itself, or a type of one's own around an enum
/// of another crate. Each has its stand-in after an error.
#[macro_export]
macro_rules! words {
    ($vis:vis struct $name:ident($type:ty) = $blank:expr; $($rest:tt)*) => {
        /// A word of that enum, as written.
        #[derive(Debug, Clone, Copy)]
        $vis struct $name($vis $type);

        impl $crate::FromYaml for $name {
            fn read(node: &$crate::YamlNode, log: &mut $crate::ErrorLog) -> Option<Self> {
                $crate::word(node, log).map(Self)
            }
            fn schema() -> $crate::Json {
                $crate::word_schema::<$type>()
            }

            fn blank() -> Self {
                Self($blank)
            }
        }

        $crate::words! { $($rest)* }
    };
    (impl $type:ty = $blank:expr; $($rest:tt)*) => {
        impl $crate::FromYaml for $type {
            fn read(node: &$crate::YamlNode, log: &mut $crate::ErrorLog) -> Option<Self> {
                $crate::word(node, log)
            }
            fn schema() -> $crate::Json {
                $crate::word_schema::<$type>()
            }

            fn blank() -> Self {
                $blank
            }
        }

        $crate::words! { $($rest)* }
    };
    () => {};
}
