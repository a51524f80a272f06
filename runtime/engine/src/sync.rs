//! The locks this crate shares between threads, under one name: the proofs of races compile its sources with others.

pub(crate) use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
