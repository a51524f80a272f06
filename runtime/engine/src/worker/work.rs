//! The work itself: one question, or the calls of one reply, and what is reported of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, Stream, StreamExt as _};
use provost_domain::command::Report;
use provost_domain::failure::{FailureKind, ModelFailure};
use provost_domain::ids::AssignmentId;
use provost_domain::request::Question;
use provost_domain::tool::{Happened, ProbeAnswer, ToolFailure, ToolOutcome};

use super::messages::ToWorker;
use crate::gateway::{Inquiry, Permit};
use crate::parts::EngineParts;
use crate::resources::Resources;

/// What is performed with.
#[derive(Clone)]
pub(super) struct Performer {
    pub(super) shared: Arc<EngineParts>,
    pub(super) resources: Arc<Resources>,
}

/// Performs what a worker is told. What is done at one time is reported together, to be recorded with one append.
pub(super) fn perform(
    with: &Performer,
    assignment: AssignmentId,
    message: ToWorker,
) -> impl Stream<Item = Vec<Report>> + Send + use<> {
    let works: FuturesUnordered<BoxFuture<'static, Report>> = match message {
        ToWorker::Ask(question, within) => {
            [with.clone().ask(assignment, question, within).boxed()].into_iter().collect()
        }
        ToWorker::Calls(permits) => permits.into_iter().map(|permit| with.clone().call(permit).boxed()).collect(),
        ToWorker::Probe(inquiry) => [with.clone().probe(inquiry).boxed()].into_iter().collect(),
    };
    let all = works.len().max(1);
    works.ready_chunks(all)
}

/// A provider or tool that panics has failed like any other: somebody waits for its report.
impl Performer {
    async fn ask(self, assignment: AssignmentId, question: Arc<Question>, within: Duration) -> Report {
        let result = AssertUnwindSafe(self.resources.models.ask(&question, within)).catch_unwind().await;
        let result = result.unwrap_or_else(|_panic| Err(ModelFailure::Unavailable { detail: PANICKED.to_owned() }));
        self.shared.meters.asked(&question.request.model, &result);
        Report::Replied { assignment, round: question.request.round, result }
    }

    async fn call(self, permit: Permit) -> Report {
        let outcome = AssertUnwindSafe(self.resources.tools.call(&permit)).catch_unwind().await;
        let outcome = outcome.unwrap_or_else(|_panic| ToolOutcome::Failed { failure: panicked() });
        self.shared.meters.called(&permit.call().tool, &outcome);
        Report::Returned { call: permit.call().call.clone(), outcome }
    }

    async fn probe(self, inquiry: Inquiry) -> Report {
        let answer = AssertUnwindSafe(self.resources.tools.probe(&inquiry)).catch_unwind().await;
        let answer = answer.unwrap_or_else(|_panic| ProbeAnswer::CannotTell { detail: PANICKED.to_owned() });
        Report::Probed { call: inquiry.call().call.clone(), answer }
    }
}

/// The panic itself is in the process's log.
const PANICKED: &str = "it panicked; see the log of this process";

fn panicked() -> ToolFailure {
    ToolFailure {
        kind: FailureKind::Permanent,
        happened: Happened::Maybe,
        detail: PANICKED.to_owned(),
        exit: None,
        signal: None,
        timeout_ms: None,
    }
}
