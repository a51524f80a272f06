//! Following sessions to their next rest, and what they came to: as text, as one object, and as the exit code.

use std::process::ExitCode;

use anyhow::Result;
use provost_domain::ids::SessionId;
use provost_domain::pack::Pack;
use provost_domain::status::Status;
use provost_face::VisibleText;
use serde_json::{Value, json};

use crate::follow::Follower;
use crate::output::{Output, status};
use crate::wiring::House;

/// The session waits for a person.
const WAITS: u8 = 3;
/// It ended without an outcome.
const NO_OUTCOME: u8 = 4;

/// What a session's status may be that has not ended, the running ones first.
pub(crate) const UNFINISHED: [Status; 2] = [Status::InProgress, Status::AwaitingInput];

/// What came of several sessions.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    failed: bool,
    codes: Vec<ExitCode>,
}

impl Codes {
    /// An error of one session is said and does not keep the others.
    pub(crate) fn add(&mut self, result: Result<ExitCode>, output: Output) {
        match result {
            Ok(code) => self.codes.push(code),
            Err(error) => {
                output.error(&error);
                self.failed = true;
            }
        }
    }

    /// An error, else an end without an outcome, else one that waits.
    pub(crate) fn worst(&self) -> ExitCode {
        let by_weight = [ExitCode::from(NO_OUTCOME), ExitCode::from(WAITS)];
        if self.failed {
            return ExitCode::FAILURE;
        }
        by_weight.into_iter().find(|code| self.codes.contains(code)).unwrap_or(ExitCode::SUCCESS)
    }
}

/// Follows a session until it rests, prints where it rests, and says so in the exit code.
pub(crate) async fn follow(house: &House, id: SessionId, output: Output) -> Result<ExitCode> {
    follow_on(house, Follower::new(id), output).await
}

/// The same with a session that was followed so far.
pub(crate) async fn follow_on(house: &House, mut follower: Follower, output: Output) -> Result<ExitCode> {
    follower.until_rest(house, output).await?;
    let pack = follower.session().and_then(|session| house.engine.pack_of(session));
    Ok(conclusion(&follower, pack.as_deref(), output))
}

/// What a session came to, and its exit code; the pack says what its outcomes mean.
pub(crate) fn conclusion(follower: &Follower, pack: Option<&Pack>, output: Output) -> ExitCode {
    let Some(session) = follower.session() else { return ExitCode::FAILURE };
    let (word, reason) =
        (status(session.status().as_str(), pack), VisibleText::new(session.status_reason()).hanging("  "));
    output.result(&summary(follower), &format!("{} is {word}: {reason}", session.handle()));
    match session.status() {
        Status::Outcome(_) => ExitCode::SUCCESS,
        Status::New | Status::InProgress | Status::AwaitingInput => ExitCode::from(WAITS),
        Status::Stopped | Status::NeedsReview | Status::Error => ExitCode::from(NO_OUTCOME),
    }
}

/// What a session came to, as one object.
pub(crate) fn summary(follower: &Follower) -> Value {
    let Some(session) = follower.session() else { return Value::Null };
    let lasted = session.updated_at().since(session.created_at()).as_millis();
    json!({
        "session": session.id(), "handle": session.handle(), "status": session.status().as_str(),
        "reason": session.status_reason(), "duration_ms": u64::try_from(lasted).unwrap_or(u64::MAX),
        "approvals": follower.approvals, "events": follower.events, "tool_calls": follower.tool_calls,
    })
}
