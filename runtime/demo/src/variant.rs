//! What is wrong with the shop, and what helps.

use clap::ValueEnum;

/// The same agents meet each of these and must leave four different logs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Variant {
    /// The live release is at fault; going back heals.
    #[default]
    HealsOnRollback,
    /// Nothing is wrong any more.
    AlreadyHealthy,
    /// The fault is not the release's; going back changes nothing.
    RollbackDoesNotHelp,
    /// As the first, but every `POST` to the admin port is answered 503.
    AdminFailing,
}
