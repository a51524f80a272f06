//! Crash points: one session, run again and again, with one thing going wrong at one crossing of one port, and the death of
//! its process at that instant or soon after.
//!
//! | file | what |
//! |---|---|
//! | `points` | names every crossing of a port, and makes one go wrong |
//! | `ports` | the ports, each method a point |
//! | `world` | what the tools act upon: it outlives every process, and counts |
//! | `log` | the session's log, read past every port |
//! | `script` | the model |
//! | `operator` | a person who approves, tells the truth, and stops the session |
//! | `case` | one run: processes one after the other, then what must hold |
//! | `around` | the same for what lies around a session: deliveries, messages, requests, packs, erasure |

pub mod around;
pub mod case;
pub mod log;
pub mod operator;
pub mod points;
pub mod ports;
pub mod script;
pub mod world;
