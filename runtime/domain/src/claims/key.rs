//! What is acted on, as text.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is acted on: `ENVIRONMENT/COMPONENT` in lower case. What is not known reads `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimKey(String);

/// Most characters of each part of a key. Longer ones that begin alike share a key, which only keeps more apart.
const PART_MAX: usize = 200;

impl ClaimKey {
    /// The key of a component in an environment.
    pub fn of(environment: &str, component: &str) -> Self {
        let part = |text: &str| {
            let kept: String = text.trim().to_lowercase().chars().take(PART_MAX).collect();
            if kept.is_empty() { "-".to_owned() } else { kept }
        };
        Self(format!("{}/{}", part(environment), part(component)))
    }

    /// A key as it was stored.
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClaimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
