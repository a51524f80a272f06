//! People are told what sessions need of them. The rules are the domain's; here they are read from the configuration, and
//! what follows of them is written and put into the outbox.
//!
//! | file | what |
//! |---|---|
//! | `section` | the section `attention` of the configuration |
//! | `settings` | who is told by what |
//! | `compose` | what a message says of a session |
//! | `asks` | what it says of each need |
//! | `watch` | the looks: at what came, and at what time has come for |

mod asks;
mod compose;
mod section;
mod settings;
mod watch;

pub use section::AttentionConfig;
pub use settings::{AttentionSettings, ContactTargets};
pub use watch::{Attention, AttentionParts};
