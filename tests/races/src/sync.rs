//! The locks of the included sources.

pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard, PoisonError};
