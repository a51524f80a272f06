//! What an event is, in words: the one place that says it. Faces render the answer and add nothing to it.
//!
//! | file | events of |
//! |---|---|
//! | `tell` | the match over all kinds |
//! | `session` | the session itself: opened, started, stopped, retried, erased, its status |
//! | `agent` | agents: assignments, reports, questions to operators, routes, measurements |
//! | `model` | model calls |
//! | `call` | tool calls and what came of them, findings and patches |
//! | `approval` | gates and approvals |
//! | `doubt` | calls of which nobody knows whether they happened |
//! | `claim` | terminal claims |

mod agent;
mod approval;
mod call;
mod claim;
mod detail;
mod doubt;
mod model;
mod names;
mod narration;
mod session;
mod status;
mod tell;
mod words;

pub use detail::{DETAIL_MAX, Detail, DetailBody, PREVIEW_MAX};
pub use names::CallNames;
pub use narration::{Level, Narration, Tone};
pub use status::StatusView;
pub use tell::narrate;
pub use words::{ago, clock, dollars, effect, gate_reason, minute, number, span, unknown_cost, until, word};
