//! What to do with an intent whose outcome nobody here saw: by effect class, and by how often its tool was asked about it.

use crate::tool::EffectClass;

/// How often a tool is asked about one of its calls before a person is: as often as an idempotent call is tried, so that a
/// call whose answer is lost every time does not run for ever.
pub const PROBES_MAX: u32 = 3;

/// The plan for one call in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Make it again, with the same idempotency key.
    RunAgain,
    /// Ask the tool whether it happened.
    Probe,
    /// Do not: a person settles it.
    AskPerson,
}

/// The plan for a call whose tool was asked about it `probes` times already.
///
/// | class | plan |
/// |---|---|
/// | `read` | run again |
/// | `idempotent` | run again with the same key |
/// | `probe` | ask the tool, [`PROBES_MAX`] times at most; then a person |
/// | `unsafe` | ask a person |
pub const fn plan(effect: EffectClass, probes: u32) -> Plan {
    match effect {
        EffectClass::Read | EffectClass::Idempotent => Plan::RunAgain,
        EffectClass::Probe if probes < PROBES_MAX => Plan::Probe,
        EffectClass::Probe | EffectClass::Unsafe => Plan::AskPerson,
    }
}
