//! Puts the parts together. Each part reads its own section of the configuration; here the sections are composed, and what
//! they describe is built in order.

mod attention;
mod config;
mod contacts;
#[cfg(feature = "controls")]
mod controls;
mod engine;
mod environment;
mod fallback;
mod house;
mod models;
mod packs;
mod retention;
mod server;
mod shipped;
mod store;
mod tools;

pub(crate) use attention::attention;
pub(crate) use config::{Configuration, config, config_at, config_of_file, load};
pub(crate) use environment::{secret, variable};
pub(crate) use house::{House, parts};
pub(crate) use models::models;
pub(crate) use packs::PackSet;
pub(crate) use retention::retention;
pub(crate) use server::TokenConfig;
pub(crate) use shipped::shipped;
pub(crate) use store::{reads, session, store};
pub(crate) use tools::{catalog, clock, tools, tools_of};
