//! The session supervisor: holds one session, is the only writer of its log, and performs what is owed.
//!
//! | what it does | where it is decided |
//! |---|---|
//! | takes inputs in turn, decides, appends, then performs | the domain's `decide` and `owed` |
//! | parks when only waits remain | the store, conditional on the `wake_seq` seen |
//!
//! Decisions are applied to the folded state at once, but nothing is performed and nobody is answered before the append
//! that holds them is durable. If an append fails the state is dropped and the actor ends: the log is the truth.

mod actor;
mod append;
mod batch;
mod begin;
mod cited;
mod fail;
mod inputs;
mod journal;
mod load;
mod messages;
mod perform;
mod performing;
mod session_pack;
mod state;
mod step;

pub(crate) use actor::Supervisor;
pub(crate) use messages::{Boot, End, SupervisorArguments, ToSupervisor};
