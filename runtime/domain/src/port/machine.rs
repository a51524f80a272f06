//! The seams to the machine: the present and randomness, which the domain is given and never asks for itself.

use crate::time::Timestamp;

/// Where the present comes from. The binary's reads the machine's clock, tests turn one by hand.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present.
    fn now(&self) -> Timestamp;
}

/// Where randomness comes from. The binary's asks the machine, a simulation's draws from a seed.
pub trait Random: Send + Sync + std::fmt::Debug {
    /// Bytes that nobody can foresee.
    fn bytes(&self) -> [u8; 16];
}
