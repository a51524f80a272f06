//! What to do with an intent whose outcome nobody here saw: by effect class, nothing else.

use crate::tool::EffectClass;

/// The plan for one call in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Make it again, with the same idempotency key.
    RunAgain,
    /// Do not: a person settles it.
    AskPerson,
}

/// | class | plan |
/// |---|---|
/// | `read` | run again |
/// | `idempotent` | run again with the same key |
/// | `probe` | ask a person, until the tool itself can be asked |
/// | `unsafe` | ask a person |
pub const fn plan(effect: EffectClass) -> Plan {
    match effect {
        EffectClass::Read | EffectClass::Idempotent => Plan::RunAgain,
        EffectClass::Probe | EffectClass::Unsafe => Plan::AskPerson,
    }
}
