//! What waits for servers that fail: the fold of it, and what is asked of it.

use super::header::Session;
use crate::call::{Call, CallState, DeferredCall, Intent};
use crate::event::{Event, ModelDeferred, ToolDeferred};
use crate::ids::{AgentName, AssignmentId, Fence, ToolName};
use crate::outage::Deferral;
use crate::time::Timestamp;
use crate::tool::{EffectClass, Happened};
use crate::work::Work;

/// What a deferred call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeferredBy<'a> {
    /// The model of this agent.
    Model(&'a AgentName),
    /// This tool.
    Tool(&'a ToolName),
}

impl Session {
    pub(super) fn model_deferred(&mut self, deferred: &ModelDeferred, event: &Event) -> Result<(), String> {
        let ModelDeferred { assignment, round, failure, attempt, waiting_since, next_at, budget_ends_at } = deferred;
        let turn = self.turn_mut(*assignment)?;
        if !turn.is_asked() || turn.round != *round {
            return Err(format!("round {round} of assignment {assignment}, which is not asked"));
        }
        turn.deferral = Some(Box::new(Deferral {
            attempt: *attempt,
            waiting_since: *waiting_since,
            deferred_at: event.at,
            fence: event.fence,
            next_at: *next_at,
            budget_ends_at: *budget_ends_at,
            why: Deferral::words(&failure.to_string()),
        }));
        Ok(())
    }

    pub(super) fn tool_deferred(&mut self, deferred: &ToolDeferred, event: &Event) -> Result<(), String> {
        let ToolDeferred { call, failure, attempt, waiting_since, next_at, budget_ends_at } = deferred;
        let made = self.call_mut(call)?;
        let intent = made.intent().ok_or_else(|| format!("call {call}, which is not being made"))?;
        let deferral = Deferral {
            attempt: *attempt,
            waiting_since: *waiting_since,
            deferred_at: event.at,
            fence: event.fence,
            next_at: *next_at,
            budget_ends_at: *budget_ends_at,
            why: Deferral::words(&failure.detail),
        };
        let lost = intent.lost || (failure.happened == Happened::Maybe && intent.effect != EffectClass::Read);
        let deferred = Some(Box::new(DeferredCall { deferral, failure: failure.clone(), pauses: true }));
        made.state = CallState::Intended(Intent { lost, deferred, ..intent.clone() });
        Ok(())
    }

    /// Notes since when anything waits, after an event of this time.
    pub(super) fn note_outage(&mut self, at: Timestamp) {
        let waits = self.deferrals().next().is_some();
        self.outage_since = waits.then(|| self.outage_since.unwrap_or(at));
    }

    /// Since when something of it waits for a server that failed, if anything does.
    pub fn outage_since(&self) -> Option<Timestamp> {
        self.outage_since
    }

    /// Whatever waits for a server that failed.
    pub fn deferrals(&self) -> impl Iterator<Item = (DeferredBy<'_>, &Deferral)> {
        let turns = self.works().values().filter_map(|work| {
            let deferral = work.turn().and_then(|turn| turn.deferral.as_deref())?;
            Some((DeferredBy::Model(&work.agent), deferral))
        });
        let calls = self.open_calls().filter_map(|call| {
            let intent = call.intent()?;
            let deferred = intent.deferred.as_deref()?;
            Some((DeferredBy::Tool(&intent.tool), &deferred.deferral))
        });
        turns.chain(calls)
    }

    /// Whether a work waits for a server that failed: for its model, for the tool of one of its calls, or for the effect of
    /// the open claim.
    pub fn is_deferred(&self, work: &Work) -> bool {
        let asks = work.turn().is_some_and(|turn| turn.deferral.is_some());
        let waits = |call: &Call| call.intent().is_some_and(|intent| intent.deferred.is_some());
        asks || self.calls_of(work).any(waits) || self.effect().is_some_and(waits)
    }

    /// When an outstanding question is asked next, for an owner that holds the session since `since`; `None`: at once.
    pub fn asks_at(&self, assignment: AssignmentId, fence: Fence, since: Timestamp) -> Option<Timestamp> {
        let turn = self.works().get(&assignment)?.turn().filter(|turn| turn.is_asked())?;
        turn.deferral.as_ref().map(|deferral| deferral.due_at(fence, since))
    }

    /// Until when something of a work pauses.
    pub(super) fn pauses_until(&self, work: &Work, fence: Fence, since: Timestamp) -> Option<Timestamp> {
        let asks = work.turn().and_then(|turn| turn.deferral.as_deref());
        let calls = self.calls_of(work).chain(self.effect()).filter_map(Call::pausing);
        let deferrals = asks.into_iter().chain(calls.map(|deferred| &deferred.deferral));
        deferrals.map(|deferral| deferral.due_at(fence, since)).max()
    }
}
