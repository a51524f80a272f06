//! A pack's mapping on one delivery: what was sent becomes the fields of a case, or a reason why not. Pure.
//!
//! Of each field the first value counts that is neither blank nor ignored. Where only some words are allowed, a word that means
//! nothing takes the default; in an open field that has a default it stays as it was sent.

use provost_domain::gate::pattern_matches;
use provost_domain::origin::CaseOrigin;
use provost_domain::pack::{FieldMapping, IntakeMapping};
use provost_domain::roster::Rosters;
use provost_domain::schema::ArgSchema;
use provost_domain::time::Timestamp;
use provost_expr::{Expression, Judgement};
use serde_json::{Map, Value};

use super::fit::closed_words;
use super::loose::{shortened, text};
use super::meaning::meaning;

/// Texts longer than this many characters are cut for expressions that do more than name a value.
const READ_MAX: usize = 4096;
/// Longest word that is kept for people to see.
const WORD_MAX: usize = 100;
/// The name of the body of a webhook.
const BODY: &str = "body";
/// Longest problem of a body that is told, in characters.
const PROBLEM_MAX: usize = 500;
/// Most links of a case.
const LINKS_MAX: usize = 8;
/// Longest link, in characters: what browsers and proxies take.
const LINK_MAX: usize = 2048;
/// Numbers from here on are milliseconds since 1970, smaller ones seconds: in seconds it is the year 5138.
const MILLIS_FROM: f64 = 1e11;

/// The fields of a case as a pack declares them.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeclaredFields<'a> {
    pub(super) schema: &'a ArgSchema,
    pub(super) rosters: &'a Rosters,
}

/// What one delivery, or one alert of it, was mapped to.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct MappedCase {
    pub(super) fields: Map<String, Value>,
    pub(super) origin: CaseOrigin,
}

/// What a pack's condition says about a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taking {
    /// The pack takes it.
    Taken,
    /// It is not for the pack.
    PassedOver,
    /// The delivery does not say what the condition asks: why.
    CannotTell(String),
}

/// No case can be made of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum MappingFailure {
    /// Nothing gives a field a value that every session needs.
    #[error(
        "nothing in it says the `{field}`: it is read from {from}; have the sender add it, or give the field a `default` in the pack"
    )]
    Missing {
        /// Which one, by its name in the pack.
        field: String,
        /// Where its value may stand.
        from: String,
    },
    /// The body of a webhook is not what its pack declares.
    #[error("the body does not have the form that the pack declares: {problem}")]
    Payload {
        /// What is wrong with it first.
        problem: String,
    },
}

/// Whether a pack takes what was sent.
pub(super) fn taking(mapping: &IntakeMapping, data: &SentData<'_>) -> Taking {
    let Some(when) = &mapping.when else { return Taking::Taken };
    match when.judge(data.bounded()) {
        Judgement::True => Taking::Taken,
        Judgement::False => Taking::PassedOver,
        Judgement::CannotTell(why) => Taking::CannotTell(format!("the condition `{when}` of the pack: {why}")),
    }
}

/// Checks that a body has the form that the pack declares for it, where it declares one.
///
/// # Errors
/// It does not.
pub(super) fn has_form(mapping: &IntakeMapping, data: &SentData<'_>) -> Result<(), MappingFailure> {
    let Some(declared) = &mapping.payload else { return Ok(()) };
    let body = data.whole.get(BODY).unwrap_or(&Value::Null);
    let problem = declared.problems(body).into_iter().next();
    problem.map_or(Ok(()), |problem| Err(MappingFailure::Payload { problem: shortened(&problem, PROBLEM_MAX) }))
}

/// Maps what was sent to the fields of a case.
///
/// # Errors
/// A field that every session needs has no value.
pub(super) fn mapped(
    mapping: &IntakeMapping,
    declared: DeclaredFields<'_>,
    data: &SentData<'_>,
) -> Result<MappedCase, MappingFailure> {
    let mut case = MappedCase::default();
    for (name, field) in mapping.fields.iter().filter(|(name, _)| declared.has(name)) {
        match value_of(field, declared.words(name).as_deref(), data) {
            FieldValue::Value(value) => drop(case.fields.insert(name.clone(), value)),
            FieldValue::Unknown { written, stand_in } => {
                case.origin.unknown_words.insert(name.clone(), shortened(&written, WORD_MAX));
                // Without a default the word stays where it is needed, so that the refusal names it.
                let stand_in = stand_in.or_else(|| declared.schema.requires(name).then_some(Value::String(written)));
                case.fields.extend(stand_in.map(|value| (name.clone(), value)));
            }
            FieldValue::Nothing if declared.schema.requires(name) => return Err(missing(name, field)),
            FieldValue::Nothing => {}
        }
    }
    if mapping.onset.is_some() || !mapping.links.is_empty() {
        let mut whole = data.whole.clone();
        if let Some(whole) = whole.as_object_mut() {
            whole.insert("fields".to_owned(), Value::Object(case.fields.clone()));
        }
        let with_fields = SentData::new(&whole);
        case.origin.onset = mapping.onset.as_ref().and_then(|onset| time(&with_fields.value(onset)?));
        let links = mapping.links.iter().filter_map(|link| text(with_fields.value(link).as_ref()));
        case.origin.links = links.map(|link| shortened(&link, LINK_MAX)).take(LINKS_MAX).collect();
    }
    Ok(case)
}

fn missing(name: &str, field: &FieldMapping) -> MappingFailure {
    let from: Vec<String> = field.from.iter().map(|from| format!("`{from}`")).collect();
    MappingFailure::Missing { field: name.to_owned(), from: from.join(", ") }
}

impl<'a> DeclaredFields<'a> {
    /// Whether a session may have a field of this name.
    fn has(self, name: &str) -> bool {
        self.schema.declares(name) || self.schema.raw().get("additionalProperties") != Some(&Value::Bool(false))
    }

    /// The only words that a field may have, if there are only some.
    fn words(self, name: &str) -> Option<Vec<&'a str>> {
        let property = self.schema.raw().get("properties")?.get(name)?;
        closed_words(self.rosters, property)
    }
}

/// What a mapping finds for one field.
#[derive(Debug, PartialEq)]
enum FieldValue {
    Value(Value),
    /// A word that means nothing; the default stands in for it, if there is one.
    Unknown {
        written: String,
        stand_in: Option<Value>,
    },
    Nothing,
}

fn value_of(field: &FieldMapping, closed: Option<&[&str]>, data: &SentData<'_>) -> FieldValue {
    let counts = |value: &Value| match value {
        Value::Null => false,
        Value::Array(_) | Value::Object(_) => true,
        Value::String(_) | Value::Number(_) | Value::Bool(_) => {
            text(Some(value)).is_some_and(|text| !field.ignore.iter().any(|pattern| matches(pattern, &text)))
        }
    };
    let Some(value) = field.from.iter().filter_map(|from| data.value(from)).find(counts) else {
        return field.default.clone().map_or(FieldValue::Nothing, FieldValue::Value);
    };
    if closed.is_none() && field.words.is_empty() {
        return FieldValue::Value(value);
    }
    let Some(written) = text(Some(&value)) else { return FieldValue::Value(value) };
    let own = closed.into_iter().flatten().map(|word| (*word, *word));
    let table = field.words.iter().map(|(word, stands_for)| (word.as_str(), stands_for.as_str()));
    match meaning(&written, &table.chain(own).collect::<Vec<_>>()) {
        Some(word) => FieldValue::Value(word.into()),
        // Any word may stand in an open field; its default is for what is missing.
        None if closed.is_none() && field.default.is_some() => FieldValue::Value(written.into()),
        None => FieldValue::Unknown { written, stand_in: field.default.clone() },
    }
}

/// The time that was written: RFC 3339, or seconds or milliseconds since 1970. Earlier times are not read.
fn time(written: &Value) -> Option<Timestamp> {
    let written = text(Some(written))?;
    #[expect(clippy::cast_possible_truncation, reason = "a cast saturates: a time so late is refused below")]
    let of_number = |number: f64| (number * if number < MILLIS_FROM { 1e6 } else { 1e3 }) as i64;
    let number = written.parse::<f64>().ok().filter(|number| number.is_finite());
    let time = number
        .map_or_else(|| Timestamp::from_rfc3339(&written), |number| Some(Timestamp::from_micros(of_number(number))));
    time.filter(|time| time.micros() > 0)
}

/// Whether a text fits a pattern. Capitals make no difference.
fn matches(pattern: &str, text: &str) -> bool {
    pattern_matches(&pattern.to_lowercase(), &text.to_lowercase())
}

/// What was sent, by the names that expressions read.
#[derive(Debug)]
pub(super) struct SentData<'a> {
    /// All of it, as it was sent.
    whole: &'a Value,
    /// With long texts cut, where they were too long.
    cut: Option<Value>,
}

impl<'a> SentData<'a> {
    pub(super) fn new(whole: &'a Value) -> Self {
        let cut = (length(whole) > READ_MAX).then(|| cut(whole));
        Self { whole, cut }
    }

    /// The data for what does more than name a value: an expression reads a bounded amount.
    fn bounded(&self) -> &Value {
        self.cut.as_ref().unwrap_or(self.whole)
    }

    /// The value of an expression; `None` where the data does not say.
    pub(super) fn value(&self, expression: &Expression) -> Option<Value> {
        let Some(path) = expression.path() else { return expression.value(self.bounded()).ok() };
        let found = path.names.iter().try_fold(self.whole, |here, name| here.get(name))?;
        Some(found.clone()).filter(|value| !value.is_null())
    }
}

/// The length of all texts in a value.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(length).sum(),
        Value::Object(entries) => entries.values().map(length).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

fn cut(value: &Value) -> Value {
    match value {
        Value::String(text) => shortened(text, READ_MAX).into(),
        Value::Array(items) => items.iter().map(cut).collect(),
        Value::Object(entries) => entries.iter().map(|(name, value)| (name.clone(), cut(value))).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests;
