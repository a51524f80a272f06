//! What comes in about a case while agents work on it, as they are told.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Most bytes of one piece of news that are told; the log holds all of it.
const TOLD_MAX: usize = 4_000;

/// One signal from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CaseNews {
    /// Where it came from.
    pub source: String,
    /// What it said, or its beginning.
    pub said: Arc<Value>,
}

impl CaseNews {
    /// From a signal; what is long is cut with a mark.
    pub(crate) fn of(source: &str, payload: &Value) -> Self {
        let text = payload.to_string();
        let said = if text.len() <= TOLD_MAX {
            payload.clone()
        } else {
            text.chars().take(TOLD_MAX).chain("…".chars()).collect::<String>().into()
        };
        Self { source: source.to_owned(), said: said.into() }
    }

    /// As a model reads it.
    pub fn told(&self) -> Value {
        json!({"source": self.source, "said": self.said})
    }
}
