//! `notify:NAME` where there is no outbox: sent within the call, with several attempts.

use std::time::Duration;

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::port::ToolBackend;
use provost_domain::tool::{Happened, ToolCall, ToolOutcome, ToolSpec};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::sender::Sender;
use crate::bound;
use crate::http::PostFailure;
use crate::spec::OUTPUT_LIMIT;

/// The pauses between attempts, in milliseconds.
const PAUSES_MS: [u64; 5] = [250, 500, 1000, 2000, 4000];
/// How long all attempts may take together.
const WITHIN: Duration = Duration::from_secs(18);

/// Sends within the call.
#[derive(Debug)]
pub(super) struct Notify {
    spec: ToolSpec,
    sender: Sender,
}

impl Notify {
    pub(super) const fn new(spec: ToolSpec, sender: Sender) -> Self {
        Self { spec, sender }
    }
}

/// The attempts of one call that failed.
#[derive(Debug, Default)]
struct Attempts {
    last: Option<PostFailure>,
    may_have_happened: bool,
}

impl Attempts {
    /// Counts one, and says how long to wait before the next, if there is to be one.
    fn failed(&mut self, failure: PostFailure, pause: Option<Duration>) -> Option<Duration> {
        let again = failure.kind != FailureKind::Permanent;
        self.may_have_happened |= failure.happened != Happened::No;
        let pause = pause.filter(|_| again).map(|pause| pause.max(failure.retry_after.unwrap_or_default()));
        self.last = Some(failure);
        pause
    }

    /// What came of them all: an effect that one of them may have had is not undone by the next one's failure.
    fn outcome(self, sender: &Sender) -> ToolOutcome {
        let mut failure = self.last.unwrap_or_else(|| PostFailure {
            happened: Happened::Maybe,
            kind: FailureKind::Transient,
            detail: "no answer in time".to_owned(),
            retry_after: None,
        });
        if self.may_have_happened {
            failure.happened = Happened::Maybe;
        }
        failure.detail = sender.without_secrets(&failure.detail);
        failure.into()
    }
}

#[async_trait]
impl ToolBackend for Notify {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let mut attempts = Attempts::default();
        let trying = async {
            let mut pauses = PAUSES_MS.into_iter().map(Duration::from_millis);
            loop {
                let failure = match self.sender.attempt(call).await {
                    Ok(content) => return Some(content),
                    Err(failure) => failure,
                };
                sleep(attempts.failed(failure, pauses.next())?).await;
            }
        };
        match timeout(WITHIN, trying).await {
            Ok(Some(Value::Null)) => ToolOutcome::Ok { content: "delivered".into() },
            Ok(Some(Value::String(text))) if text.trim().is_empty() => ToolOutcome::Ok { content: "delivered".into() },
            Ok(Some(content)) => bound::outcome(&self.sender.answer(content), OUTPUT_LIMIT, "delivered"),
            Ok(None) | Err(_) => attempts.outcome(&self.sender),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(happened: Happened, kind: FailureKind, retry_after: Option<Duration>) -> PostFailure {
        PostFailure { happened, kind, detail: "it failed".to_owned(), retry_after }
    }

    #[test]
    fn it_waits_as_long_as_it_was_asked_to_and_not_at_all_for_the_hopeless() {
        let second = Duration::from_secs(1);
        let transient = |retry_after| failure(Happened::No, FailureKind::Transient, retry_after);
        let mut attempts = Attempts::default();
        assert_eq!(attempts.failed(transient(None), Some(second)), Some(second));
        assert_eq!(attempts.failed(transient(Some(second * 3)), Some(second)), Some(second * 3));
        assert_eq!(attempts.failed(transient(None), None), None);
        assert_eq!(attempts.failed(failure(Happened::Maybe, FailureKind::Unknown, None), Some(second)), Some(second));
        assert_eq!(attempts.failed(failure(Happened::No, FailureKind::Permanent, None), Some(second)), None);
        assert!(attempts.may_have_happened);
    }
}
