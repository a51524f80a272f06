//! Whether a call may act on its target now: the session's own claims, and what the store said of those of others.

use serde_json::Value;

use super::draft::Draft;
use super::intent;
use crate::call::Call;
use crate::event::StaleReason;
use crate::ids::CallId;
use crate::projection::Obstacle;
use crate::refusal::ToolRefusal;
use crate::session::PendingApproval;
use crate::time::Timestamp;
use crate::tool::ToolSpec;

/// How a call stands to its target.
#[derive(Debug)]
pub(super) enum CallStanding {
    /// Nothing is known that keeps it from acting; the store has the last word.
    Free,
    /// Another call of this session acts there: it waits for that one's end.
    Waits,
    /// What was approved is not what is there now.
    Stale(StaleReason),
    /// It must not act now.
    Refused(ToolRefusal),
}

/// How a call with these final arguments stands, with the approval that a person gave it, if one was needed.
pub(super) fn standing(
    draft: &Draft<'_>,
    spec: &ToolSpec,
    call: &CallId,
    args: &Value,
    given: Option<&PendingApproval>,
) -> CallStanding {
    if let Some(at) = given.and_then(|given| resolved_since(draft, spec, given)) {
        return CallStanding::Stale(StaleReason::Resolved { at });
    }
    let Some(target) = intent::claims(draft, spec, args) else { return CallStanding::Free };
    if let Some((own, held)) = draft.session.held_on(&target) {
        if draft.session.call(own).is_some_and(Call::is_running) {
            return CallStanding::Waits;
        }
        let (holder, since) = (draft.session.id(), held.since);
        return CallStanding::Refused(ToolRefusal::TargetBusy { target, holder, since });
    }
    match draft.facts.obstacles.of(call) {
        Some(Obstacle::Taken { key, holder, since }) if *key == target => {
            let (holder, since) = (*holder, *since);
            match given {
                Some(_) => CallStanding::Stale(StaleReason::Acted { session: holder, at: since }),
                None => CallStanding::Refused(ToolRefusal::TargetBusy { target, holder, since }),
            }
        }
        Some(Obstacle::Acted { key, by, at }) if *key == target && given.is_some() => {
            CallStanding::Stale(StaleReason::Acted { session: *by, at: *at })
        }
        Some(Obstacle::Repeated { free_at }) => {
            let (max, within, free_at) = (spec.claim.repeat.max, spec.claim.repeat.within, *free_at);
            CallStanding::Refused(ToolRefusal::RepeatLimit { target, max, within, free_at })
        }
        Some(Obstacle::Taken { .. } | Obstacle::Acted { .. }) | None => CallStanding::Free,
    }
}

/// When the alert was over, if that was after a person was asked for a call that changes something.
fn resolved_since(draft: &Draft<'_>, spec: &ToolSpec, given: &PendingApproval) -> Option<Timestamp> {
    draft.session.resolved_at().filter(|at| spec.changes_world() && *at > given.at)
}
