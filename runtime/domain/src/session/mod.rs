//! The session: the fold of its log.
//!
//! | file | what |
//! |---|---|
//! | `header` | what is known of a session, bounded |
//! | `fold` | one event at a time, the only mutation |
//! | `works`, `calls` | the fold of assignments, and of tool calls |
//! | `outages`, `elapsed` | what waits for servers that fail, and how long works have been carried |
//! | `fields` | the fields of the case, and who wrote them |
//! | `handover` | what the runtime decides next between two works |
//! | `contents` | the large values that open turns name by hash |
//! | `owed` | what the world must be asked for, and what is waited for |
//! | `timer` | when time itself changes something |
//! | `view` | the case as conditions and briefings read it |
//! | `snapshot` | the header as bytes |

mod calls;
mod contents;
mod elapsed;
mod fields;
mod fold;
mod handover;
mod header;
mod illegal;
mod outages;
mod owed;
mod record;
mod snapshot;
mod timer;
mod view;
mod works;

pub(crate) use contents::stored_result;
pub use handover::Handover;
pub use header::{Acknowledgement, AgentReport, FieldAuthor, OpenClaim, PendingApproval, RESULTS_MAX, Session};
pub use illegal::IllegalEvent;
pub use outages::DeferredBy;
pub use owed::{Owed, Wait, owed};
pub use record::{AssignmentRecord, WorkerStatus};
