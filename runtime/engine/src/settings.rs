//! The engine's bounds.

use std::time::Duration;

use crate::controls::Controls;

/// The engine's bounds.
#[derive(Debug, Clone, Copy)]
pub struct EngineSettings {
    /// Live sessions at once; more are refused or wait in the log.
    pub sessions_max: usize,
    /// The pause between two looks for sessions that must run.
    pub sweep_every: Duration,
    /// The share of that pause by which it varies either way, so that processes that started together do not look together.
    pub sweep_jitter: f64,
    /// How long a caller waits for what became of a command to live work.
    pub patience: Duration,
    /// How long shutdown waits for its tasks once everything is cancelled: a store on a slow disk still answers by then,
    /// and a service manager's patience is longer.
    pub stop_within: Duration,
    /// The mechanisms in place: all of them, but in proofs.
    pub controls: Controls,
}

impl Default for EngineSettings {
    fn default() -> Self {
        Self {
            sessions_max: 256,
            sweep_every: Duration::from_secs(1),
            sweep_jitter: 0.2,
            patience: Duration::from_secs(2),
            stop_within: Duration::from_secs(5),
            controls: Controls::default(),
        }
    }
}
