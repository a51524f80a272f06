//! Schemas as they are sent to models: one form that every model server takes. The canonical schema stays with us and is
//! checked in full; what the form leaves out, a call is refused for with words a model can act on.

mod dialects;
mod form;
mod key;
mod strict;
mod union;
mod words;

pub use dialects::{WireRefusal, refusals};
pub use form::schema;
pub use key::{NO_ARGUMENTS, wire_key};
pub use strict::strict;

#[cfg(test)]
mod tests;
