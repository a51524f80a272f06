//! The pure rules of Provost. This crate never does IO, reads no clock, holds no randomness and is not async: inputs are
//! arguments, answers are values. It knows no other crate of the workspace and no case's domain.

pub mod access;
pub mod call;
pub mod command;
pub mod condition;
pub mod confidence;
pub mod decide;
pub mod envelope;
pub mod event;
pub mod evidence;
pub mod failure;
pub mod fields;
pub mod gate;
pub mod ids;
pub mod inject;
pub mod invariant;
pub mod log;
pub mod model;
pub mod pack;
pub mod port;
pub mod principal;
pub mod projection;
pub mod recovery;
pub mod refusal;
pub mod request;
pub mod retry;
pub mod role;
pub mod roster;
pub mod route;
pub mod schema;
pub mod session;
pub mod status;
pub mod terminal;
pub mod time;
pub mod tool;
mod word;
pub mod work;
