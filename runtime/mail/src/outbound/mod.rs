//! Messages to the outside: stored, then sent until their targets took them.
//!
//! | file | what |
//! |---|---|
//! | `outgoing` | the queue's face: stores messages, has one tried again |
//! | `sending` | the rounds that send, one target not holding up another |
//! | `section` | its part of the configuration |
//! | `retry` | what follows a try: done, again after a pause, or given up |

mod outgoing;
mod retry;
mod section;
mod sending;

pub use outgoing::Outgoing;
pub use section::OutboxConfig;
pub use sending::OutgoingParts;
