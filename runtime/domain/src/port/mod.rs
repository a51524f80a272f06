//! The seams: traits of a few methods that the engine holds as `Arc<dyn …>` and adapters implement.
//!
//! Each method's doc says what is true once it returns.

mod attention;
mod commands;
mod deliveries;
mod erasure;
mod error;
mod examine;
mod forms;
mod imports;
mod leases;
mod log;
mod machine;
mod model;
mod outbox;
mod packs;
mod page_sessions;
mod reads;
mod requests;
mod roles;
mod tokens;
mod tool;

pub use attention::{AttentionLog, LookAnswer, SessionLook, WatchedSession};
pub use commands::{Claimed, CommandLog, CommandOutcome, InboxAck, InboxEntry, Submitted, UnreadableCommand};
pub use deliveries::{
    Arrived, Deliveries, Delivery, DeliveryFilter, DeliveryReads, DeliveryRow, DeliveryState, DismissAnswer, Finish,
    Finished, GroupWork, Known, Mark, NewDelivery, UnknownState,
};
pub use erasure::{Erase, Erased, Erasure, Prunable, Quiet};
pub use error::StoreError;
pub use examine::{Backup, Examine, SessionMoment, SessionWalk, Unread, WalkFound, WalkStop};
pub use forms::DeliveryForms;
pub use imports::{ImportAnswer, ImportedAppend, ImportedSession, Imports};
pub use leases::{HolderState, Lease, LeaseTerm, Leases, Renewal};
pub use log::{Append, Appended, NewSession, Park, Parked, SessionStore, TakenOver};
pub use machine::{Clock, Random};
pub use model::{ModelProvider, Models};
pub use outbox::{
    AgainAnswer, Carried, Carrier, EnqueueAnswer, Message, MessageFilter, MessageRow, MessageState, NewMessage, Outbox,
    OutboxReads, PAUSE_MAX, Queued, Then, Tried, TryAnswer, UnknownMessageState,
};
pub use packs::{KeptPack, PackReads, PackShelf};
pub use page_sessions::{PageSession, PageSessions};
pub use reads::{ApprovalFilter, ApprovalOrder, Reads, SessionFilter};
pub use requests::{KeptAnswer, KnownRequest, Requests};
pub use roles::Roles;
pub use tokens::{MintAnswer, RevokeAnswer, TokenReads, Tokens};
pub use tool::ToolBackend;

pub use crate::projection::{
    ApprovalChange, ApprovalRow, ClaimChanges, ClaimRow, Obstacle, ReleaseClaim, SessionRow, Snapshot, TakeClaim,
};
