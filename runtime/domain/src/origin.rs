//! What a delivery says of a case besides its fields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What a delivery says of a case besides its fields. All of it is data from outside.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CaseOrigin {
    /// When the trouble began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onset: Option<Timestamp>,
    /// Addresses that a person may want to open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// Words that the pack does not know, by the field they were for. The field has its default, or no value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown_words: BTreeMap<String, String>,
}

impl CaseOrigin {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
