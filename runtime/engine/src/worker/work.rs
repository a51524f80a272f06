//! The work itself: one question or one call, and what is reported of it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt as _;
use provost_domain::command::Report;
use provost_domain::failure::{FailureKind, ModelFailure};
use provost_domain::ids::{AssignmentId, Digest};
use provost_domain::model::Message;
use provost_domain::tool::{Happened, ProbeAnswer, ToolFailure, ToolOutcome};
use serde_json::Value;

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
        ToWorker::Ask(mut request, within) => {
            let round = request.round;
            let asking = async {
                resolve(shared, &mut request.messages).await?;
                resources.models.ask(&request, within).await
            };
            let result = AssertUnwindSafe(asking).catch_unwind().await;
            let result = result.unwrap_or_else(|_panic| Err(ModelFailure::Unavailable { detail: PANICKED.to_owned() }));
            shared.meters.asked(&request.model, &result);
            Report::Replied { assignment, round, result }
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

/// Puts large results, which events only name, into the messages that show them.
async fn resolve(shared: &EngineParts, messages: &mut [Message]) -> Result<(), ModelFailure> {
    let unreadable = |detail: String| ModelFailure::Unavailable { detail };
    for message in messages {
        let Message::Tool { result, .. } = message else { continue };
        let Some(stored) = result.get("stored").and_then(Value::as_str) else { continue };
        let digest: Digest =
            stored.parse().map_err(|error: provost_domain::ids::BadId| unreadable(error.to_string()))?;
        let bytes = shared.ports.reads.content(digest).await.map_err(|error| unreadable(error.to_string()))?;
        let content: Value = serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?;
        let mut shown = (**result).clone();
        if let Some(shown) = shown.as_object_mut() {
            shown.remove("stored");
            shown.insert("content".to_owned(), content);
        }
        *result = Arc::new(shown);
    }
    Ok(())
}
