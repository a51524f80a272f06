//! What must hold of every session, checked from the outside, record by record: the memory it takes does not grow with
//! what the records hold.
//!
//! | file | what is checked |
//! |---|---|
//! | `audit` | the chain: gapless, unchanged, the fence never decreasing, the head where the row and an older export say |
//! | `erasure` | what was erased was erased as a whole, and the log's last record accounts for it |
//! | `calls` | intents, outcomes, approvals used |
//! | `projection` | what is derived from the log, against the log; that a session at rest can be woken |

mod audit;
mod calls;
mod erasure;
mod fault;
mod projection;
mod stored;

pub use audit::{Audit, Head, check};
pub use fault::{Fault, Problem};
pub use stored::Stored;

#[cfg(test)]
mod tests;
