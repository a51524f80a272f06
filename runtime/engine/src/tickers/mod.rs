//! Tickers over one engine's store.

mod retention;
mod scrub;
mod waiting;

pub use retention::{Retention, RetentionSettings};
pub use scrub::Scrub;
pub use waiting::OldestApproval;
