//! Rosters: closed lists of values a pack allows, checked at the tool boundary.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// All rosters of a pack: name → allowed values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rosters(pub BTreeMap<String, Vec<String>>);

/// A value that is not in its roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterRefusal {
    /// The argument.
    pub argument: String,
    /// The roster.
    pub roster: String,
    /// The value as text.
    pub value: String,
    /// What the roster allows.
    pub allowed: Vec<String>,
}

impl fmt::Display for RosterRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is `{}`; roster `{}` allows: {}",
            self.argument,
            self.value,
            self.roster,
            self.allowed.join(", ")
        )
    }
}

impl Rosters {
    /// A roster's values.
    pub fn get(&self, roster: &str) -> Option<&[String]> {
        self.0.get(roster).map(Vec::as_slice)
    }

    /// Whether a roster allows a value; an unknown roster allows nothing.
    pub fn allows(&self, roster: &str, value: &str) -> bool {
        self.get(roster).is_some_and(|allowed| allowed.iter().any(|a| a == value))
    }

    /// Every bound argument (argument → roster) whose value, or list of values, is not allowed. Absent arguments are fine.
    pub fn check(&self, bound: &BTreeMap<String, String>, args: &Value) -> Vec<RosterRefusal> {
        let mut refusals = Vec::new();
        for (argument, roster) in bound {
            let values = match args.get(argument) {
                None => continue,
                Some(Value::Array(list)) => list.iter().collect(),
                Some(value) => vec![value],
            };
            for value in values {
                if value.as_str().is_some_and(|text| self.allows(roster, text)) {
                    continue;
                }
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                refusals.push(RosterRefusal {
                    argument: argument.clone(),
                    roster: roster.clone(),
                    value: text.chars().take(100).collect(),
                    allowed: self.get(roster).unwrap_or_default().to_vec(),
                });
            }
        }
        refusals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(args: &Value, refused: usize) {
        let rosters = Rosters([("teams".to_owned(), vec!["a".to_owned(), "b".to_owned()])].into());
        let bound = [("team".to_owned(), "teams".to_owned()), ("x".to_owned(), "none".to_owned())].into();
        assert_eq!(rosters.check(&bound, args).len(), refused, "{args}");
    }

    #[test]
    fn only_listed_values_pass() {
        check(&json!({"team": "a"}), 0);
        check(&json!({}), 0);
        check(&json!({"team": "c"}), 1);
        check(&json!({"team": ["a", "b"]}), 0);
        check(&json!({"team": ["a", "c", 1]}), 2);
        check(&json!({"team": null}), 1);
        check(&json!({"x": "a"}), 1);
    }
}
