//! A worker: carries one assignment. It performs what its supervisor passes on and reports; it writes nothing.

mod actor;
mod messages;
mod work;

pub(crate) use actor::Worker;
pub(crate) use messages::{ToWorker, WorkerArguments};
