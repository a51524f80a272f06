//! The seams: traits of a few methods that the engine holds as `Arc<dyn …>` and adapters implement.
//!
//! Each method's doc says what is true once it returns.

mod access;
mod deliveries;
mod erasure;
mod model;
mod outbox;
mod requests;
mod shelf;
mod store;
mod tool;

pub use access::Tokens;
pub use deliveries::{
    Arrived, Deliveries, Delivery, DeliveryFilter, DeliveryReads, DeliveryRow, DeliveryState, Finish, Finished,
    GroupWork, Known, Mark, NewDelivery, UnknownState,
};
pub use erasure::{Erase, Erased, Erasure, Prunable, Quiet};
pub use model::ModelProvider;
pub use outbox::{
    Carried, Carrier, Message, MessageFilter, MessageRow, MessageState, NewMessage, Outbox, OutboxReads, PAUSE_MAX,
    Queued, Then, Tried, UnknownMessageState,
};
pub use requests::{KeptAnswer, KnownRequest, Requests};
pub use shelf::{KeptPack, PackReads, PackShelf};
pub use store::{
    Append, Appended, ApprovalChange, ApprovalFilter, ApprovalRow, Claimed, CommandLog, CommandOutcome, InboxAck,
    InboxEntry, NewSession, Park, Parked, Reads, SessionFilter, SessionRow, SessionStore, Snapshot, StoreError,
    Submitted, TakenOver,
};
pub use tool::ToolBackend;

use crate::time::Timestamp;

/// Where the present comes from. The binary's reads the machine's clock, tests turn one by hand.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present.
    fn now(&self) -> Timestamp;
}

/// Where randomness comes from. The binary's asks the machine, a simulation's draws from a seed.
pub trait Random: Send + Sync + std::fmt::Debug {
    /// Bytes that nobody can foresee.
    fn bytes(&self) -> [u8; 16];
}
