//! Whether a failed agent is tried again: pure, typed, with a preview that has no side effect.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::confidence::Confidence;
use crate::failure::{AgentFailure, FailureKind};
use crate::word;

/// A pack's retry policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// How many retries a session may have.
    pub max: u32,
    /// Whether transient failures are retried without a person.
    pub transient: bool,
    /// Below this confidence a retry is not worth its cost.
    pub low_confidence_below: Option<Confidence>,
}

/// Why a retry happens or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryReason {
    /// It is tried again.
    AutoRetry,
    /// The session's retries are used up.
    MaxRetriesExceeded,
    /// The same request would fail again.
    PermanentError,
    /// The last confidence is too low.
    LowConfidenceNoRetry,
    /// The policy leaves transient failures to people.
    TransientDisabled,
}

impl fmt::Display for RetryReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&word::of(self))
    }
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryDecision {
    /// Whether it is tried again.
    pub retry: bool,
    /// Why.
    pub reason: RetryReason,
}

/// Whether to try again: the count first, then what the error says, then what the policy and the confidence say.
pub fn should_retry(
    count: u32,
    failure: &AgentFailure,
    confidence: Option<Confidence>,
    policy: &RetryPolicy,
) -> RetryDecision {
    let kind = failure.kind();
    let low = confidence.zip(policy.low_confidence_below).is_some_and(|(confidence, below)| confidence < below);
    let reason = if count >= policy.max {
        RetryReason::MaxRetriesExceeded
    } else if kind == FailureKind::Permanent {
        RetryReason::PermanentError
    } else if !policy.transient {
        RetryReason::TransientDisabled
    } else if low {
        RetryReason::LowConfidenceNoRetry
    } else {
        RetryReason::AutoRetry
    };
    RetryDecision { retry: reason == RetryReason::AutoRetry, reason }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::failure::ModelFailure;

    fn sure(value: f64) -> Confidence {
        Confidence::new(value).unwrap()
    }

    fn timeout() -> AgentFailure {
        AgentFailure::Model { failure: ModelFailure::LlmTimeout { after_ms: 1 } }
    }

    fn malformed() -> AgentFailure {
        AgentFailure::Model { failure: ModelFailure::Malformed { detail: String::new() } }
    }

    fn missing() -> AgentFailure {
        AgentFailure::EnvelopeMissing { detail: String::new() }
    }

    #[track_caller]
    fn check(count: u32, failure: &AgentFailure, confidence: Option<f64>, transient: bool, expect: RetryReason) {
        let policy = RetryPolicy { max: 2, transient, low_confidence_below: Some(sure(0.4)) };
        let decision = should_retry(count, failure, confidence.map(sure), &policy);
        assert_eq!(decision, RetryDecision { retry: expect == RetryReason::AutoRetry, reason: expect });
    }

    #[test]
    fn reasons_in_order() {
        check(0, &timeout(), Some(0.9), true, RetryReason::AutoRetry);
        check(1, &malformed(), Some(0.4), true, RetryReason::AutoRetry);
        check(0, &timeout(), None, true, RetryReason::AutoRetry);
        check(2, &missing(), Some(0.3), false, RetryReason::MaxRetriesExceeded);
        check(1, &missing(), Some(0.3), false, RetryReason::PermanentError);
        check(1, &timeout(), Some(0.3), false, RetryReason::TransientDisabled);
        check(1, &malformed(), Some(0.3), false, RetryReason::TransientDisabled);
        check(1, &timeout(), Some(0.3), true, RetryReason::LowConfidenceNoRetry);
    }

    proptest! {
        #[test]
        fn one_retry_more_never_turns_a_no_into_a_yes(
            count in 0..5_u32, max in 0..5_u32, confidence in proptest::option::of((0.0..=1.0).prop_map(sure)), transient: bool,
        ) {
            let policy = RetryPolicy { max, transient, low_confidence_below: Some(sure(0.4)) };
            for failure in [timeout(), malformed(), missing()] {
                let now = should_retry(count, &failure, confidence, &policy);
                let next = should_retry(count + 1, &failure, confidence, &policy);
                prop_assert!(now.retry || !next.retry);
                prop_assert!(!now.retry || count < max);
            }
        }
    }
}
