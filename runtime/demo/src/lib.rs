//! A shop that is faulty on purpose, for `provost demo` and the tests: a real HTTP service with real figures, a real log, and
//! its own count of every effect that reaches it, so that what the agents claim can be checked against it.
//!
//! What it never does: say which release is at fault, or heal by itself.

mod idempotency;
mod load;
mod log;
mod metrics;
mod posts;
mod process;
mod releases;
mod request;
mod routes;
mod serve;
mod service;
mod shop;
mod variant;
mod window;
mod witness;

pub use process::{ShopOptions, ShopProcess};
pub use serve::{ShopArgs, run};
pub use variant::Variant;
pub use witness::ShopWitness;
