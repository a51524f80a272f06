//! The closed, versioned vocabulary of durable facts.
//!
//! No event type has a public `Deserialize`: bytes become events only through [`crate::log::AppendRecord::open`], as part
//! of a verified chain, so nobody forges a transition. Every payload carries the version of its form; what an older version
//! wrote is lifted to the present form on the way in, and the stored bytes stay as they are.

mod codec;
mod error;
mod fact;
mod kinds;
mod list;
mod news;
mod upcast;
mod values;

pub use error::{DecodeError, EncodeError};
pub use fact::Event;
pub use kinds::*;
pub use list::About;
#[cfg(test)]
pub(crate) use upcast::Upcast;
pub(crate) use upcast::Upcasts;
pub use values::*;

pub use crate::terminal::StatusChanged;
