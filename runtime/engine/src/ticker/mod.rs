//! Tickers: everything periodic runs on this one scaffold. A ticker is one file that implements [`Ticker`], and one line
//! that starts it ([`crate::Engine::start_ticker`]).
//!
//! | what the scaffold does | what the ticker does |
//! |---|---|
//! | waits, varies pauses, backs off after failures, wakes early | says its period and how much of it was left to do |
//! | drops a tick that overruns its limit, catches one that panics | keeps every step safe to be dropped and done again |
//! | measures ticks, logs failures, stops and is waited for | acts under its own principal, `ticker:NAME` |

mod api;
mod meters;
mod run;
#[cfg(test)]
mod tests;

pub use api::{Next, TickFailure, Ticker, TickerHandle, TickerSettings};
pub(crate) use meters::TickerMeters;
pub(crate) use run::{Surroundings, start};
