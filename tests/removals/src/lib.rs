//! Ports that do without one of the mechanisms which the runtime's promises rest on. A proof of a promise that does not
//! fail over them proves nothing.
//!
//! | port | what is missing |
//! |---|---|
//! | [`LateIntents`] | intents are durable before their effects |
//! | [`AttemptKeys`] | every attempt at a call comes under the same key |
//! | [`PresumedUndone`] | a tool is asked before its call is made again |
//!
//! Mechanisms inside of one transaction, such as the fence, cannot be taken away from outside: see the feature `controls`
//! of the store and of the engine.

mod late_intents;
mod tools;

pub use late_intents::LateIntents;
pub use tools::{AttemptKeys, PresumedUndone};
