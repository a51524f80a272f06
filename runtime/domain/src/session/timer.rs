//! When time itself changes something.

use super::header::Session;
use super::owed::owed;
use crate::call::Call;
use crate::ids::Fence;
use crate::time::Timestamp;

impl Session {
    /// The next instant at which time itself changes something, for an owner that holds the session since `since`.
    pub fn next_timer(&self, fence: Fence, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
        if self.status().is_end() {
            return None;
        }
        // Nobody's time is up while the session waits for a server.
        let expire = self.outage_since().is_none();
        let expiries = self.approvals().values().filter(move |_| expire).map(|pending| pending.asked.expires_at);
        let asks = self.works().keys().filter_map(move |assignment| self.asks_at(*assignment, fence, since));
        let paused = self.open_calls().filter_map(Call::pausing);
        let again = paused.map(move |deferred| deferred.deferral.due_at(fence, since));
        let working = !owed(self, fence).is_empty();
        let works = || self.works().values().filter(move |_| working && self.claim().is_none());
        let quiet = works().map(|work| self.silent_at(work, fence, since));
        let settled = works().filter(|work| self.all_settled(work));
        let polls = settled.filter_map(|work| work.watch()?.due_at(fence, since));
        expiries.chain(quiet).chain(polls).chain(asks.filter(|at| *at > now)).chain(again).min()
    }
}
