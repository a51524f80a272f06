//! Fields of a case that agents wrote: people who decide by them see who wrote them, and what the case came with.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::view::FieldAuthorView;
use crate::visible::{TEXT_MAX, VisibleText};

/// A field that an agent wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldCard {
    /// As the pack declares it.
    pub name: VisibleText,
    /// The agent that wrote it last.
    pub agent: VisibleText,
    /// Where that stands in the log.
    pub seq: u64,
    /// What it says now.
    pub now: VisibleText,
    /// What the case came with; `None` where it had no such field.
    pub came_as: Option<VisibleText>,
}

/// The fields that agents wrote, by name.
pub fn field_cards(fields: &Value, authors: &BTreeMap<String, FieldAuthorView>) -> Vec<FieldCard> {
    let shown = |value: &Value| VisibleText::plain(value, TEXT_MAX);
    let card = |(name, author): (&String, &FieldAuthorView)| FieldCard {
        name: VisibleText::new(name),
        agent: VisibleText::new(&author.agent),
        seq: author.seq,
        now: shown(fields.get(name).unwrap_or(&Value::Null)),
        came_as: author.came_as.as_ref().map(shown),
    };
    authors.iter().map(card).collect()
}
