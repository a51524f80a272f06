//! The work itself: one question or one call, and what is reported of it.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use provost_domain::command::Report;
use provost_domain::failure::{FailureKind, ModelFailure};
use provost_domain::ids::AssignmentId;
use provost_domain::tool::{Happened, ProbeAnswer, ToolFailure, ToolOutcome};

use super::messages::ToWorker;
use crate::parts::EngineParts;
use crate::resources::Resources;

/// A provider or tool that panics has failed like any other: somebody waits for its report.
pub(super) async fn perform(
    shared: &EngineParts,
    resources: &Resources,
    assignment: AssignmentId,
    message: ToWorker,
) -> Report {
    match message {
        ToWorker::Ask(question, within) => {
            let result = AssertUnwindSafe(resources.models.ask(&question, within)).catch_unwind().await;
            let result = result.unwrap_or_else(|_panic| Err(ModelFailure::Unavailable { detail: PANICKED.to_owned() }));
            shared.meters.asked(&question.request.model, &result);
            Report::Replied { assignment, round: question.request.round, result }
        }
        ToWorker::Call(permit) => {
            let outcome = AssertUnwindSafe(resources.tools.call(&permit)).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_panic| ToolOutcome::Failed { failure: panicked() });
            shared.meters.called(&permit.call().tool, &outcome);
            Report::Returned { call: permit.call().call.clone(), outcome }
        }
        ToWorker::Probe(inquiry) => {
            let answer = AssertUnwindSafe(resources.tools.probe(&inquiry)).catch_unwind().await;
            let answer = answer.unwrap_or_else(|_panic| ProbeAnswer::CannotTell { detail: PANICKED.to_owned() });
            Report::Probed { call: inquiry.call().call.clone(), answer }
        }
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
