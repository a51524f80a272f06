//! What waits for servers that fail.

use super::header::Session;
use crate::call::Call;
use crate::ids::{AgentName, AssignmentId, Fence, ToolName};
use crate::outage::Deferral;
use crate::time::Timestamp;
use crate::work::Work;

/// What a deferred call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeferredBy<'a> {
    /// The model that this agent asks.
    Model(&'a AgentName),
    /// The server behind this tool.
    Tool(&'a ToolName),
}

impl Session {
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
