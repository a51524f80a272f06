//! Failure kinds: typed once where they arise, never re-parsed from text.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a failure means for a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The same request may succeed later.
    Transient,
    /// The same request will fail again.
    Permanent,
    /// Nobody can tell.
    Unknown,
}

/// Why a model call gave no usable reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelFailure {
    /// No reply within the request timeout.
    LlmTimeout {
        /// The timeout that passed, in milliseconds.
        after_ms: u64,
    },
    /// The provider is not usable as configured; `detail` says what to change.
    LlmConfig {
        /// What is wrong and where to correct it.
        detail: String,
    },
    /// The provider asked to slow down.
    RateLimited {
        /// How long it asked to wait, in milliseconds, if it said.
        retry_after_ms: Option<u64>,
    },
    /// The provider answered with a server error or could not be reached.
    Unavailable {
        /// What was seen.
        detail: String,
    },
    /// The reply could not be read.
    Malformed {
        /// What was wrong with it.
        detail: String,
    },
    /// The provider refused this request for good (for a script: no rule matches).
    Refused {
        /// What was refused; names the agent and round for a script.
        detail: String,
    },
}

impl ModelFailure {
    /// Whether the same request may succeed later.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::LlmTimeout { .. } | Self::RateLimited { .. } | Self::Unavailable { .. } => FailureKind::Transient,
            Self::LlmConfig { .. } | Self::Refused { .. } => FailureKind::Permanent,
            Self::Malformed { .. } => FailureKind::Unknown,
        }
    }

    /// How long the provider asked to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after_ms } => retry_after_ms.map(Duration::from_millis),
            Self::LlmTimeout { .. }
            | Self::LlmConfig { .. }
            | Self::Unavailable { .. }
            | Self::Malformed { .. }
            | Self::Refused { .. } => None,
        }
    }
}

impl fmt::Display for ModelFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LlmTimeout { after_ms } => write!(f, "the model gave no reply within {after_ms} ms"),
            Self::LlmConfig { detail } => write!(f, "the model provider is misconfigured: {detail}"),
            Self::RateLimited { retry_after_ms: Some(ms) } => write!(f, "the server asks to wait {ms} ms"),
            Self::RateLimited { retry_after_ms: None } => write!(f, "rate limited"),
            Self::Unavailable { detail } => write!(f, "the model provider is unavailable: {detail}"),
            Self::Malformed { detail } => write!(f, "the model's reply could not be read: {detail}"),
            Self::Refused { detail } => write!(f, "the model provider refused the request: {detail}"),
        }
    }
}

/// Why an agent ended without a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum AgentFailure {
    /// The model gave no usable reply.
    Model {
        /// The typed cause.
        failure: ModelFailure,
    },
    /// The model was not to be had within its outage budget.
    Outage {
        /// What was seen last.
        failure: ModelFailure,
        /// How often it was asked.
        attempts: u32,
        /// How long it was waited for, in milliseconds.
        waited_ms: u64,
    },
    /// The turn ended without a readable envelope, also after one repair request.
    EnvelopeMissing {
        /// What was missing or wrong in the last reply.
        detail: String,
    },
    /// The turn's typed report does not hold, also after one repair request.
    ReportInvalid {
        /// What was missing or wrong in the last one.
        detail: String,
    },
    /// The worker carrying the assignment died, also after a redispatch.
    WorkerLost {
        /// What its supervisor saw.
        detail: String,
    },
    /// The assignment's deadline passed twice without anything recorded.
    Silent {
        /// The deadline, in milliseconds.
        deadline_ms: u64,
    },
}

impl AgentFailure {
    /// Whether the same assignment may succeed later.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Model { failure } => failure.kind(),
            Self::EnvelopeMissing { .. } | Self::ReportInvalid { .. } => FailureKind::Permanent,
            Self::Outage { .. } | Self::WorkerLost { .. } | Self::Silent { .. } => FailureKind::Transient,
        }
    }
}

impl fmt::Display for AgentFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model { failure } => failure.fmt(f),
            Self::Outage { failure, attempts, waited_ms } => write!(
                f,
                "the outage budget of the model does not last (asked {attempts} times, waited {} s): {failure}",
                waited_ms / 1000
            ),
            Self::EnvelopeMissing { detail } => write!(f, "the turn ended without an envelope: {detail}"),
            Self::ReportInvalid { detail } => write!(f, "the turn's report does not hold: {detail}"),
            Self::WorkerLost { detail } => write!(f, "the worker was lost: {detail}"),
            Self::Silent { deadline_ms } => write!(f, "nothing was recorded within {deadline_ms} ms, twice"),
        }
    }
}
