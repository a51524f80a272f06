//! What came in from outside and what is said to it: deliveries and the messages of the outbox.

mod deliveries;
mod outbox;

pub use deliveries::{DeliveryLookups, DeliveryOperations};
pub use outbox::{OutboxLookups, OutboxOperations};
