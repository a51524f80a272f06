//! Commands that change something, done by the daemon that holds the store.
//!
//! | known | who does it |
//! |---|---|
//! | `--server`, and a token | that daemon |
//! | nothing, and the store is free | this process |
//! | nothing, and the store is held | the daemon that wrote its address beside the store, given a token; else nobody |

pub(crate) mod address;
mod client;
mod reach;
pub(crate) mod session;
pub(crate) mod trust;

pub(crate) use client::Remote;
pub(crate) use reach::{Reached, named, reach};
