//! The node: the root actor. It spawns supervisors, wakes them, restarts them with backoff, and ends them in order;
//! its sweep looks for sessions that must run.

mod actor;
mod messages;
mod state;
mod sweep;

pub(crate) use actor::Node;
pub(crate) use messages::ToNode;
pub(crate) use sweep::Sweep;
