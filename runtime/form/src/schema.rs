//! The JSON Schema of a table, made from the declaration that reads it.

use serde_json::{Map, Value, json};

/// The schema of a table, key by key.
#[derive(Debug, Default)]
pub struct TableSchema {
    properties: Map<String, Value>,
    required: Vec<String>,
}

impl TableSchema {
    /// Adds a key. `notes` are the attributes of its declaration as tokens: its doc comment is what editors show.
    #[must_use]
    pub fn key(mut self, name: &str, schema: Value, required: bool, notes: &[&str]) -> Self {
        let mut schema = schema;
        let about: Vec<String> = notes.iter().filter_map(|note| doc(note)).collect();
        if let (false, Some(schema)) = (about.is_empty(), schema.as_object_mut()) {
            schema.insert("description".to_owned(), about.join(" ").into());
        }
        self.properties.insert(name.to_owned(), schema);
        if required {
            self.required.push(name.to_owned());
        }
        self
    }

    /// The schema: no other keys are allowed.
    pub fn finish(self) -> Value {
        json!({"type": "object", "additionalProperties": false, "required": self.required, "properties": self.properties})
    }
}

/// The text of a doc comment, of an attribute as tokens: `doc = "text"`, or with a raw text.
fn doc(note: &str) -> Option<String> {
    let text = note.strip_prefix("doc")?.trim_start().strip_prefix('=')?.trim();
    let read = match text.strip_prefix('r') {
        Some(raw) => raw.trim_matches('#').strip_prefix('"')?.strip_suffix('"').map(str::to_owned),
        None => serde_json::from_str::<String>(text).ok(),
    };
    read.map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{At, Count, FromYaml as _, Names, Period, table, words};

    #[derive(Debug, Clone, Copy, serde::Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Weather {
        Fine,
        VeryBad,
    }

    words! {
        impl Weather = Weather::Fine;
    }

    table! {
        #[derive(Debug)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Outing {
            /// Where it "goes",
            /// and how.
            place: At<String>,
            people: Option<Count<2>> = None,
            lasts: Names<Vec<Period>> = Names::default(),
            weather: Weather = Weather::VeryBad,
        }
    }

    #[test]
    fn a_declaration_gives_its_schema() {
        let period = json!({"type": "string", "pattern": "^[0-9]+ ?[a-zµ]"});
        let expect = json!({
            "type": "object", "additionalProperties": false, "required": ["place"],
            "properties": {
                "place": {"type": "string", "minLength": 1, "description": "Where it \"goes\", and how."},
                "people": {"type": "integer", "minimum": 2},
                "lasts": {"type": "object", "additionalProperties": {"type": "array", "items": period}},
                "weather": {"enum": ["fine", "very_bad"]},
            },
        });
        assert_eq!(Outing::schema(), expect);
    }
}
