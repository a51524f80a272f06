//! The large values that the open turns of a session name by hash.

use std::collections::BTreeSet;

use serde_json::Value;

use super::header::Session;
use crate::ids::Digest;
use crate::model::{Message, OpaqueItem};

impl Session {
    /// Every large value that a question of an open turn may need.
    pub fn contents_named(&self) -> BTreeSet<Digest> {
        let turns = self.works().values().filter_map(|work| work.turn());
        let of_turns = turns.flat_map(|turn| {
            let history = turn.history.iter().flat_map(named_by);
            history.chain(turn.opaque.iter().filter_map(OpaqueItem::stored))
        });
        let results = self.open_calls().filter_map(|call| stored_result(&call.settled()?.result));
        of_turns.chain(results).collect()
    }
}

fn named_by(message: &Message) -> Vec<Digest> {
    match message {
        Message::User { .. } => Vec::new(),
        Message::Assistant { opaque, .. } => {
            opaque.iter().flat_map(|state| &state.items).filter_map(OpaqueItem::stored).collect()
        }
        Message::Tool { result, .. } => stored_result(result).into_iter().collect(),
    }
}

/// The hash by which a result's content is stored, where it is not in the result itself.
pub(crate) fn stored_result(result: &Value) -> Option<Digest> {
    result.get("stored")?.as_str()?.parse().ok()
}
