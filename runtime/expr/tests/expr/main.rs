//! Expressions and templates as packs and tools use them.
#![expect(clippy::unwrap_used, reason = "tests")]

mod any_text;
mod bounds;
mod checks;
mod hostile;
mod landings;
mod readers;
mod templates;
mod truth;
mod values;
mod wrong;
