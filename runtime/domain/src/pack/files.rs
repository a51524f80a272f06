//! A pack as its author wrote it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::Digest;

/// The files of a pack: text by path inside the pack, with `/` between names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PackFiles(pub BTreeMap<String, String>);

impl PackFiles {
    /// The digest of every file, each with its path: what a session pins.
    pub fn digest(&self) -> Digest {
        let parts: Vec<&[u8]> = self.0.iter().flat_map(|(path, text)| [path.as_bytes(), text.as_bytes()]).collect();
        Digest::of_parts(&parts)
    }
}
