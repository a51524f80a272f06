//! What the tests share: a stub model that is told its answers, tools that count what reaches them, a small pack, and a
//! house that holds them together.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test support fails the test")]

pub mod binary;
pub mod browser;
pub mod chaos;
pub mod clock;
pub mod crash;
pub mod daemon;
pub mod desk;
pub mod docs;
pub mod double;
pub mod endpoint;
pub mod eventually;
pub mod every_kind;
pub mod face;
pub mod facts;
pub mod house;
pub mod llama;
pub mod machine;
pub mod model;
pub mod monitoring;
pub mod mutations;
pub mod pack;
pub mod shipped;
pub mod shop;
pub mod smtp;
pub mod tls;
pub mod tools;
pub mod transfer;
pub mod visitor;
pub mod webdriver;
