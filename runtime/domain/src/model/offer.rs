//! A tool as a model sees it.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// A tool as the model sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolOffer {
    /// The wire name, `server__tool`.
    pub name: String,
    /// What it does, in words for the model.
    pub description: String,
    /// JSON Schema of its arguments, an object.
    pub schema: OfferSchema,
}

/// A schema with its JSON text: it goes out with every question, and is written once for all of them.
#[derive(Debug, Clone)]
pub struct OfferSchema {
    value: Value,
    /// `None` where it has no text, which its value then says.
    text: Option<Arc<RawValue>>,
}

impl From<Value> for OfferSchema {
    fn from(value: Value) -> Self {
        let text = to_raw_value(&value).ok().map(Arc::from);
        Self { value, text }
    }
}

impl Deref for OfferSchema {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.value
    }
}

impl PartialEq for OfferSchema {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Serialize for OfferSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.text {
            Some(text) => text.serialize(serializer),
            None => self.value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for OfferSchema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The digest of a request is recorded: it must not depend on how its schemas are held.
    #[test]
    fn an_offer_is_written_as_its_schema_says() {
        let schema = json!({"type": "object", "properties": {"n": {"minimum": -1.5, "description": "a \"b\"\n"}}});
        let offer = ToolOffer { name: "a__b".to_owned(), description: "d".to_owned(), schema: schema.clone().into() };
        let plain = json!({"name": "a__b", "description": "d", "schema": schema});
        let expect = format!(r#"{{"name":"a__b","description":"d","schema":{schema}}}"#);
        assert_eq!(serde_json::to_string(&offer).unwrap(), expect);
        assert_eq!(json!(offer), plain);
        assert_eq!(serde_json::from_value::<ToolOffer>(plain).unwrap(), offer);
    }
}
