//! The locks of the store in memory, under one name: the proofs of races compile its sources with others.

pub(crate) use std::sync::{Mutex, PoisonError};
