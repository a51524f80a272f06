//! Fits what an alert says to the fields of a pack. Text from outside is as long, as empty and as loose as its sender
//! pleases: where it has one reading it is made to fit, and what is not needed is left out. What is cut off or left out
//! here stands in full in the delivery, and in the alert that goes along.

use provost_domain::roster::Rosters;
use provost_domain::schema::ArgSchema;
use serde_json::{Map, Value};

use super::loose::{shortened, text};

/// The fields that fit, as far as they can be made to.
pub(super) fn fitted(own: &ArgSchema, rosters: &Rosters, fields: Value) -> Value {
    let Value::Object(fields) = fields else { return fields };
    let schema = own.raw();
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let required = schema.get("required").and_then(Value::as_array);
    let mut fitting = Map::new();
    for (name, value) in fields {
        let Some(property) = schema.get("properties").and_then(|properties| properties.get(&name)) else {
            if !closed {
                fitting.insert(name, value);
            }
            continue;
        };
        let value = fit(rosters, property, value);
        let needed = required.is_some_and(|names| names.iter().any(|own| own.as_str() == Some(&name)));
        let in_roster =
            roster_of(rosters, property).is_none_or(|roster| roster.iter().any(|word| value.as_str() == Some(word)));
        // What is not needed and does not pass would refuse the whole case.
        if needed || (in_roster && own.takes(&name, &value)) {
            fitting.insert(name, value);
        }
    }
    Value::Object(fitting)
}

/// One value made to fit its property: a number where a text is due, a text that is too long, capitals of a closed word.
fn fit(rosters: &Rosters, property: &Value, value: Value) -> Value {
    let value = match property.get("type").and_then(Value::as_str) {
        Some("string") => text(Some(&value)).map_or(value, Value::String),
        _ => value,
    };
    let Value::String(written) = &value else { return value };
    if let Some(word) = same_word(written, closed_words(rosters, property).into_iter().flatten()) {
        return word.into();
    }
    let max = property.get("maxLength").and_then(Value::as_u64).and_then(|max| usize::try_from(max).ok());
    max.map_or_else(|| value.clone(), |max| shortened(written, max).into())
}

/// The word of a closed list that is meant: the same one, else the only one with other capitals.
fn same_word<'a>(written: &str, closed: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike: Vec<&str> = closed.filter(|word| word.eq_ignore_ascii_case(written)).collect();
    let same = alike.iter().copied().find(|word| *word == written);
    same.or(match alike.as_slice() {
        [only] => Some(only),
        _ => None,
    })
}

/// The only words that a property may have, if there are only some.
pub(super) fn closed_words<'a>(rosters: &'a Rosters, property: &'a Value) -> Option<Vec<&'a str>> {
    if let Some(roster) = roster_of(rosters, property) {
        return Some(roster.iter().map(String::as_str).collect());
    }
    property.get("enum").and_then(Value::as_array)?.iter().map(Value::as_str).collect()
}

/// The roster that a property's values are from.
fn roster_of<'a>(rosters: &'a Rosters, property: &Value) -> Option<&'a [String]> {
    property.get("x-roster").and_then(Value::as_str).map(|roster| rosters.get(roster).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn schema() -> ArgSchema {
        ArgSchema::new(json!({"type": "object", "required": ["summary", "environment"], "additionalProperties": false,
            "properties": {
                "summary": {"type": "string", "minLength": 1, "maxLength": 8},
                "environment": {"type": "string", "x-roster": "environments"},
                "severity": {"enum": ["low", "critical"]},
                "team": {"type": "string", "x-roster": "teams"},
                "count": {"type": "integer"},
                "alert": {"type": "object"}}}))
        .unwrap()
    }

    fn rosters() -> Rosters {
        Rosters([("environments".to_owned(), vec!["production".to_owned(), "Staging".to_owned()])].into())
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "rows read better so")]
    fn check(fields: Value, expect: &Value) {
        assert_eq!(&fitted(&schema(), &rosters(), fields.clone()), expect, "{fields}");
    }

    #[test]
    fn what_has_one_reading_fits() {
        check(
            json!({"summary": "long text here", "environment": "PRODUCTION"}),
            &json!({"summary": "long te…", "environment": "production"}),
        );
        check(json!({"summary": 7, "environment": " staging "}), &json!({"summary": "7", "environment": "Staging"}));
        check(json!({"severity": "Critical", "alert": {"a": 1}}), &json!({"severity": "critical", "alert": {"a": 1}}));
    }

    #[test]
    fn what_is_not_needed_and_does_not_fit_is_left_out_and_what_is_needed_stays_wrong() {
        check(json!({"severity": "purple", "team": "x", "count": "many", "alert": "text", "cluster": "a"}), &json!({}));
        check(json!({"environment": "the-moon", "summary": ""}), &json!({"environment": "the-moon", "summary": ""}));
        check(json!([1]), &json!([1]));
    }

    proptest! {
        #[test]
        fn any_text_fits_where_a_text_is_due(summary in "\\PC{1,40}", environment in "[Pp]roduction|[Ss]taging") {
            prop_assume!(!summary.trim().is_empty());
            let fields = fitted(&schema(), &rosters(), json!({"summary": summary, "environment": environment}));
            prop_assert_eq!(schema().problems(&fields), Vec::<String>::new());
            prop_assert!(rosters().allows("environments", fields["environment"].as_str().unwrap()));
        }
    }
}
