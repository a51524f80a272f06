//! What a store keeps beside a session's log so that nobody has to fold the log to find it. All of it follows from the
//! log and can be made anew from it.

mod approval;
mod claim;
mod session;

pub use approval::{ApprovalChange, ApprovalRow};
pub use claim::{ClaimChanges, ClaimRow, Obstacle, Obstacles, ReleaseClaim, TakeClaim, obstacle};
pub use session::{SessionRow, Snapshot};
