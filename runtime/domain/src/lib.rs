//! The pure rules of Provost. This crate never does IO, reads no clock, holds no randomness and is not async: inputs are
//! arguments, answers are values. It knows no case's domain, and of the workspace only
//! the crates that check JSON Schemas and evaluate expressions, which are as pure.

pub mod access;
pub mod attention;
pub mod calendar;
pub mod call;
pub mod citation;
pub mod claims;
pub mod command;
pub mod condition;
pub mod confidence;
pub mod decide;
pub mod decode;
pub mod envelope;
pub mod event;
pub mod evidence;
pub mod failure;
mod fallback;
pub mod fields;
pub mod gate;
pub mod ids;
pub mod inject;
pub mod invariant;
pub mod length;
pub mod lenient;
pub mod log;
pub mod model;
pub mod names;
pub mod nesting;
pub mod origin;
pub mod outage;
pub mod pack;
pub mod port;
pub mod principal;
pub mod projection;
pub mod recovery;
pub mod refusal;
pub mod reply;
pub mod request;
pub mod retry;
pub mod role;
pub mod roster;
pub mod route;
pub mod session;
pub mod status;
pub mod terminal;
pub mod time;
pub mod title;
pub mod tool;
pub mod visible;
pub mod wire;
mod word;
pub mod work;

pub use provost_schema as schema;
