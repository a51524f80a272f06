//! Rosters: closed lists of values a pack allows, checked at the tool boundary.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Most refusals of one check: a list may hold thousands of wrong values, and a model corrects a few at a time.
const REFUSALS_MAX: usize = 8;

/// All rosters of a pack: name → allowed values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rosters(pub BTreeMap<String, Vec<String>>);

/// A value that is not in its roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterRefusal {
    /// The argument that holds the value.
    pub argument: String,
    /// The list that does not hold the value.
    pub roster: String,
    /// The value as text.
    pub value: String,
    /// What the roster allows.
    pub allowed: Vec<String>,
}

impl fmt::Display for RosterRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { argument, roster, value, allowed } = self;
        let allowed = if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", ") };
        write!(f, "`{argument}` is `{value}`; roster `{roster}` allows: {allowed}")
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

    /// Every bound argument (argument → roster) whose value, or list of values, is not allowed, at most eight
    /// refusals. Absent arguments are fine.
    pub fn check(&self, bound: &BTreeMap<String, String>, args: &Value) -> Vec<RosterRefusal> {
        bound
            .iter()
            .filter_map(|(argument, roster)| Some((argument, roster, args.get(argument)?)))
            .flat_map(|(argument, roster, value)| {
                let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                values.iter().filter_map(move |value| self.refusal(argument, roster, value))
            })
            .take(REFUSALS_MAX)
            .collect()
    }

    fn refusal(&self, argument: &str, roster: &str, value: &Value) -> Option<RosterRefusal> {
        if value.as_str().is_some_and(|text| self.allows(roster, text)) {
            return None;
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Some(RosterRefusal {
            argument: argument.to_owned(),
            roster: roster.to_owned(),
            value: text.chars().take(100).collect(),
            allowed: self.get(roster).unwrap_or_default().to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn refused(args: &Value) -> Vec<RosterRefusal> {
        let rosters = Rosters([("teams".to_owned(), vec!["a".to_owned(), "b".to_owned()])].into());
        let bound = [("team".to_owned(), "teams".to_owned()), ("x".to_owned(), "none".to_owned())].into();
        rosters.check(&bound, args)
    }

    #[track_caller]
    fn check(args: &Value, expect: usize) {
        assert_eq!(refused(args).len(), expect, "{args}");
    }

    #[test]
    fn only_listed_values_pass() {
        check(&json!({"team": "a"}), 0);
        check(&json!({}), 0);
        check(&json!({"other": "c"}), 0);
        check(&json!({"team": "c"}), 1);
        check(&json!({"team": "A"}), 1);
        check(&json!({"team": ["a", "b"]}), 0);
        check(&json!({"team": ["a", "c", 1]}), 2);
        check(&json!({"team": [["a"]]}), 1);
        check(&json!({"team": {"a": "a"}}), 1);
        check(&json!({"team": null}), 1);
        check(&json!({"x": "a"}), 1);
        check(&json!({"team": vec![1; 10_000]}), REFUSALS_MAX);
    }

    #[test]
    fn a_refusal_says_what_is_allowed() {
        let texts: Vec<String> = refused(&json!({"team": "c", "x": 7})).iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["`team` is `c`; roster `teams` allows: a, b", "`x` is `7`; roster `none` allows: nothing"]);
    }

    proptest! {
        #[test]
        fn a_list_passes_exactly_when_each_of_its_values_does(values in proptest::collection::vec("[abc]", 0..6)) {
            let each = values.iter().all(|value| refused(&json!({"team": value})).is_empty());
            prop_assert_eq!(refused(&json!({"team": values})).is_empty(), each);
        }
    }
}
