//! The section `outbox` of the configuration.

use std::time::Duration;

use provost_form::table;

table! {
    /// How stored notifications are sent.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct OutboxConfig {
        /// How long one is tried before it counts as failed.
        pub give_up_after: Duration = Duration::from_hours(24),
    }
}
