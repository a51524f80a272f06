//! Tickers over one engine's store.

mod retention;
mod scrub;

pub use retention::{Retention, RetentionSettings};
pub use scrub::Scrub;
