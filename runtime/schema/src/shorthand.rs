//! The shorthand for types that packs and tools are written in: `optional low | high, words for the model`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// The plain types, in the order messages list them.
pub const PLAIN: [&str; 9] =
    ["string", "text", "number", "integer", "boolean", "confidence", "time", "duration", "outside"];
/// Most items of a list.
pub const ITEMS_MAX: usize = 64;

/// A type as one line says it.
#[derive(Debug, PartialEq)]
pub struct TypeLine<'a> {
    /// What it is.
    pub form: TypeForm<'a>,
    /// Whether the value may be left out.
    pub optional: bool,
    /// The words for the model, if any.
    pub about: &'a str,
}

/// What a type is, by the way it is written.
#[derive(Debug, PartialEq)]
pub enum TypeForm<'a> {
    /// One of [`PLAIN`], as JSON Schema.
    Plain(Value),
    /// One of several words: `a | b`.
    Choice(Vec<&'a str>),
    /// Several of what stands before the brackets: `TYPE[]`.
    List(&'a str),
    /// A value of this roster: `roster.NAME`.
    Roster(&'a str),
    /// Whatever else the reader knows by this name.
    Named(&'a str),
}

impl<'a> TypeLine<'a> {
    /// Takes a line apart.
    pub fn of(line: &'a str) -> Self {
        let (written, about) = line.split_once(',').map_or((line, ""), |(own, about)| (own, about.trim()));
        let written = written.trim();
        let (written, optional) =
            written.strip_prefix("optional ").map_or((written, false), |rest| (rest.trim_start(), true));
        Self { form: TypeForm::of(written), optional, about }
    }

    /// A schema with the line's words before its own.
    pub fn describe(&self, mut schema: Value) -> Value {
        if let (Some(schema), false) = (schema.as_object_mut(), self.about.is_empty()) {
            let words = match schema.get("description").and_then(Value::as_str) {
                Some(own) => format!("{}. {own}", self.about),
                None => self.about.to_owned(),
            };
            schema.insert("description".to_owned(), words.into());
        }
        schema
    }
}

impl<'a> TypeForm<'a> {
    /// The form of a type that is written without `optional` and without words.
    pub fn of(written: &'a str) -> Self {
        if written.contains('|') {
            return Self::Choice(written.split('|').map(str::trim).collect());
        }
        if let Some(item) = written.strip_suffix("[]") {
            return Self::List(item.trim_end());
        }
        if let Some(roster) = written.strip_prefix("roster.") {
            return Self::Roster(roster);
        }
        plain(written).map_or(Self::Named(written), Self::Plain)
    }
}

fn plain(written: &str) -> Option<Value> {
    Some(match written {
        "string" => json!({"type": "string", "maxLength": 8192}),
        "text" => json!({"type": "string", "maxLength": 65_536}),
        "number" => json!({"type": "number"}),
        "integer" => json!({"type": "integer"}),
        "boolean" => json!({"type": "boolean"}),
        "confidence" => json!({"type": "number", "minimum": 0, "maximum": 1}),
        "time" => json!({"type": "string", "maxLength": 64, "description": "A time like 2026-11-20T08:30:00Z."}),
        "duration" => json!({"type": "string", "maxLength": 32, "pattern": "^([0-9]+(ms|s|m|h|d))+$",
            "description": "A duration like 1h30m."}),
        "outside" => json!({}),
        _ => return None,
    })
}

/// The schema of a choice.
///
/// # Errors
/// A word is empty, has a space in it, or is there twice: what to say of it.
pub fn choice(words: &[&str]) -> Result<Value, String> {
    if let Some(odd) = words.iter().find(|word| word.is_empty() || word.contains(char::is_whitespace)) {
        return Err(format!("`{odd}` cannot be one of several words"));
    }
    let mut seen = BTreeSet::new();
    match words.iter().find(|word| !seen.insert(**word)) {
        Some(twice) => Err(format!("`{twice}` is written twice")),
        None => Ok(json!({"type": "string", "enum": words})),
    }
}

/// The schema of a list, by that of its items.
pub fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items, "maxItems": ITEMS_MAX})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ArgSchema;

    #[test]
    fn a_line_is_taken_apart() {
        let line = TypeLine::of("optional low | high, how bad, in words");
        assert_eq!(line.form, TypeForm::Choice(vec!["low", "high"]));
        assert_eq!((line.optional, line.about), (true, "how bad, in words"));
        assert_eq!(TypeLine::of("string").describe(json!({})), json!({}));
        assert_eq!(
            TypeLine::of("time, of the release").describe(json!({"description": "A time."}))["description"],
            "of the release. A time."
        );
        for (written, form) in [
            ("roster.teams", TypeForm::Roster("teams")),
            ("integer []", TypeForm::List("integer")),
            ("roster.teams[]", TypeForm::List("roster.teams")),
            ("sha", TypeForm::Named("sha")),
            ("", TypeForm::Named("")),
        ] {
            assert_eq!(TypeForm::of(written), form, "{written}");
        }
    }

    #[test]
    fn every_plain_type_is_a_schema() {
        for written in PLAIN {
            let TypeForm::Plain(schema) = TypeForm::of(written) else { panic!("{written}") };
            ArgSchema::new(json!({"type": "object", "properties": {"own": schema}})).unwrap();
        }
        let schema = ArgSchema::new(json!({"type": "object", "properties": {"for": plain("duration")}})).unwrap();
        for (value, fits) in [("90s", true), ("1h30m", true), ("an hour", false), ("", false)] {
            assert_eq!(schema.problems(&json!({"for": value})).is_empty(), fits, "{value}");
        }
    }

    #[test]
    fn the_words_of_a_choice_stand_alone_and_once() {
        assert_eq!(choice(&["a", "b_c"]), Ok(json!({"type": "string", "enum": ["a", "b_c"]})));
        assert_eq!(
            list(&json!({"type": "integer"})),
            json!({"type": "array", "items": {"type": "integer"}, "maxItems": 64})
        );
        for (words, expect) in [
            (&["a", ""][..], "`` cannot be one of several words"),
            (&["a", "b c"], "`b c` cannot be one of several words"),
            (&["a", "b", "a"], "`a` is written twice"),
        ] {
            assert_eq!(choice(words), Err(expect.to_owned()));
        }
    }
}
