//! What a reply holds that means something to its server alone: reasoning, signatures, keys nobody here knows. It is stored
//! and sent back byte for byte, in its order, to the server and model it came from, and to no other.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::Digest;
use crate::tool::{Blob, Content};

/// Most bytes of one reply's opaque items: far above the longest reasoning that servers seal. A server refuses a part of
/// them, so beyond this none is kept.
pub const OPAQUE_MAX: usize = 512 * 1024;

/// Where a model is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ModelOrigin {
    /// The server's address; a word of its own for a provider inside this process.
    pub server: String,
    /// The model's name there.
    pub model: String,
}

/// Stands for a server where a model is asked inside this process.
const INTERNAL: &str = "internal";

impl ModelOrigin {
    /// A model inside this process, by its configured name.
    pub fn internal(model: &str) -> Self {
        Self { server: INTERNAL.to_owned(), model: model.to_owned() }
    }

    /// Whether the model is asked inside this process: no server stands between.
    pub fn is_internal(&self) -> bool {
        self.server == INTERNAL
    }
}

/// Where in a reply an opaque item stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpaquePlace {
    /// It is the value of this key of the message.
    Message {
        /// The key, as the server wrote it.
        key: String,
    },
    /// It is the value of a key of one of the calls.
    Call {
        /// The call's place among the reply's calls, from 0.
        call: usize,
        /// The key, as the server wrote it.
        key: String,
    },
    /// It is a whole item of the reply. Text and calls have the other places, in their order.
    Item {
        /// Its place among all items of the reply, from 0.
        index: usize,
    },
}

/// One thing that only its server can read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpaqueItem {
    /// Where it stood.
    pub place: OpaquePlace,
    /// Its JSON text, byte for byte, as a string.
    pub json: Blob,
}

/// The opaque items of one reply, and where they may be sent back to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpaqueState {
    /// Who sent them.
    pub origin: ModelOrigin,
    /// The items, in their order.
    pub items: Vec<OpaqueItem>,
}

impl OpaqueItem {
    /// An item with this JSON text.
    pub fn new(place: OpaquePlace, json: impl Into<String>) -> Self {
        Self { place, json: Blob::Inline(Value::String(json.into()).into()) }
    }

    /// Its JSON text; `None` while it is only named by its hash.
    pub fn text(&self) -> Option<&str> {
        match &self.json {
            Blob::Inline(text) => text.as_str(),
            Blob::Stored { .. } => None,
        }
    }

    /// The hash by which its text is stored.
    pub fn stored(&self) -> Option<Digest> {
        match &self.json {
            Blob::Inline(_) => None,
            Blob::Stored { sha256, .. } => Some(*sha256),
        }
    }

    fn bytes(&self) -> u64 {
        match &self.json {
            Blob::Inline(text) => text.as_str().map_or(0, str::len) as u64,
            Blob::Stored { bytes, .. } => *bytes,
        }
    }

    fn is_of_call(&self, calls: usize) -> bool {
        match &self.place {
            OpaquePlace::Call { call, .. } => *call < calls,
            OpaquePlace::Message { .. } | OpaquePlace::Item { .. } => true,
        }
    }
}

/// The items of a reply of which this many calls are kept, within [`OPAQUE_MAX`]; and how many were dropped.
pub(super) fn bounded(items: Vec<OpaqueItem>, calls: usize) -> (Vec<OpaqueItem>, usize) {
    let all = items.len();
    if items.iter().map(OpaqueItem::bytes).sum::<u64>() > OPAQUE_MAX as u64 {
        return (Vec::new(), all);
    }
    let kept: Vec<_> = items.into_iter().filter(|item| item.is_of_call(calls)).collect();
    let dropped = all - kept.len();
    (kept, dropped)
}

/// Splits long texts off, to be stored by their hash.
pub(super) fn split(items: &mut [OpaqueItem]) -> Vec<Content> {
    let mut contents = Vec::new();
    let mut seen = BTreeSet::new();
    for item in items {
        let Blob::Inline(text) = &item.json else { continue };
        let (blob, content) = Blob::of((**text).clone());
        item.json = blob;
        contents.extend(content.filter(|content| seen.insert(content.digest)));
    }
    contents
}
