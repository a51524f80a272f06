//! How deliveries of one form become the fields of a case, as data. Who reads deliveries evaluates it.

use std::collections::BTreeMap;

use provost_expr::Expression;
use provost_schema::ArgSchema;
use serde::Deserialize;
use serde_json::Value;

/// A pack's mapping from deliveries of one form.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntakeMapping {
    /// What must hold for the pack to take one; without it the pack takes all.
    #[serde(default)]
    pub when: Option<Expression>,
    /// What the group of a case is made of, instead of what its sender says.
    #[serde(default)]
    pub group: Vec<Expression>,
    /// The form that the body of a webhook must have.
    #[serde(skip)]
    pub payload: Option<ArgSchema>,
    /// The fields of the case, each with where its value comes from.
    pub fields: BTreeMap<String, FieldMapping>,
    /// When the trouble began.
    #[serde(default)]
    pub onset: Option<Expression>,
    /// Addresses that a person may want to open.
    #[serde(default)]
    pub links: Vec<Expression>,
}

impl IntakeMapping {
    /// A mapping of fields that are taken as they are, each with the expression of its path.
    pub(super) fn of_paths<'a>(paths: impl Iterator<Item = (&'a str, String)>) -> Self {
        let field = |(name, path): (&str, String)| {
            let from = vec![Expression::parse(&path).ok()?];
            Some((name.to_owned(), FieldMapping { from, ..FieldMapping::default() }))
        };
        Self { fields: paths.filter_map(field).collect(), ..Self::default() }
    }
}

/// Where the value of one field comes from.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(from = "WrittenMapping")]
pub struct FieldMapping {
    /// Tried in this order: the first value counts that is neither blank nor ignored.
    pub from: Vec<Expression>,
    /// Patterns of values that do not count, `*` stands for any text. Capitals make no difference.
    pub ignore: Vec<String>,
    /// What a sender's word stands for, by the word in small letters.
    pub words: BTreeMap<String, String>,
    /// Stands in for a missing value, and for a word that means nothing where only some words are allowed.
    pub default: Option<Value>,
}

/// A field as it is written: an expression alone, or a table.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenMapping {
    Expression(Expression),
    Table(WrittenTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTable {
    from: Vec<Expression>,
    #[serde(default)]
    ignore: Vec<String>,
    #[serde(default)]
    words: BTreeMap<String, String>,
    #[serde(default)]
    default: Option<Value>,
}

impl From<WrittenMapping> for FieldMapping {
    fn from(written: WrittenMapping) -> Self {
        match written {
            WrittenMapping::Expression(only) => Self { from: vec![only], ..Self::default() },
            WrittenMapping::Table(WrittenTable { from, ignore, words, default }) => {
                let words = words.iter().flat_map(|(key, word)| split_words(key).map(|key| (key, word.clone())));
                Self { from, ignore, words: words.collect(), default }
            }
        }
    }
}

/// The words that a key parts by `|`, as `page | p1` does, in small letters.
pub fn split_words(key: &str) -> impl Iterator<Item = String> {
    key.split('|').map(|word| word.trim().to_lowercase()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_an_expression_or_a_table() {
        let mapping: IntakeMapping = serde_json::from_value(json!({"fields": {
            "a": "event.a",
            "b": {"from": ["event.b"], "words": {"Page | P1": "high", "info": "low"}, "default": "low"}}}))
        .unwrap();
        let from = |name: &str| mapping.fields[name].from.iter().map(Expression::text).collect::<Vec<_>>();
        assert_eq!((from("a"), from("b"), mapping.when.is_none()), (vec!["event.a"], vec!["event.b"], true));
        let words = ["page", "p1", "info"].map(|word| mapping.fields["b"].words[word].as_str());
        assert_eq!((words, &mapping.fields["b"].default), (["high", "high", "low"], &Some(json!("low"))));
        for broken in [json!({}), json!({"fields": {"a": "event."}}), json!({"fields": {}, "more": 1})] {
            assert!(serde_json::from_value::<IntakeMapping>(broken.clone()).is_err(), "{broken}");
        }
    }
}
