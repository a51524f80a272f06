//! The store in memory: the same promises but durability. For tests, simulation and the engine's own speed.
//!
//! | file | what |
//! |---|---|
//! | `store`, `ports` | the ports: of sessions, and of everything else |
//! | `state` | the rules between the tables |
//! | `session` | one session, and the rules of its row |
//! | `attention`, `claims`, `deliveries`, `outbox`, `packs`, `page_sessions`, `requests`, `tokens` | one table each |
//! | `moment` | sessions as one moment saw them |

mod attention;
mod claims;
mod deliveries;
mod moment;
mod outbox;
mod packs;
mod page_sessions;
mod ports;
mod requests;
mod session;
mod state;
mod store;
mod tokens;

pub use store::MemoryStore;
