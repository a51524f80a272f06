//! The section `engine`.

use std::time::Duration;

use provost_domain::outage::OUTAGE_BUDGET;
use provost_engine::EngineSettings;
use provost_form::{Count, table};
use provost_store::OpenOptions;

table! {
    /// The engine's bounds.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct EngineConfig {
        /// Live sessions at once.
        sessions_max: Count<1> = Count(256),
        /// How long a call waits for a model or tool server that fails, where nothing else is written there; `0s`: not at all.
        pub(crate) outage_budget: Duration = OUTAGE_BUDGET,
        /// How long a stop waits for running work.
        pub(crate) drain: Duration = Duration::from_secs(30),
    }
}

impl EngineConfig {
    /// Live sessions at once.
    pub(super) fn sessions_max(self) -> usize {
        self.sessions_max.0 as usize
    }
}

/// The bounds of store and engine.
pub(super) fn bounds(config: EngineConfig) -> (OpenOptions, EngineSettings) {
    (OpenOptions::default(), EngineSettings { sessions_max: config.sessions_max(), ..EngineSettings::default() })
}
