//! Tells people outside, once per key. What may succeed later is tried again: within the call, or from the
//! outbox, where there is one.

mod config;
mod direct;
mod kind;
mod queue;
mod receivers;
mod sender;
mod served;
mod spec;
#[cfg(test)]
mod tests;

pub(crate) use config::NotifySection;
pub use queue::Queue;
pub(crate) use served::NotifyServer;
