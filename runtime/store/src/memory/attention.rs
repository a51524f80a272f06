//! What people are told of sessions, in memory.

use std::collections::BTreeMap;

use provost_domain::ids::{Seq, SessionId};
use provost_domain::port::{SessionLook, WatchedSession};
use provost_domain::time::Timestamp;

/// What is known of each session that ever had news.
#[derive(Debug, Default)]
pub(super) struct AttentionTable(BTreeMap<SessionId, AttentionRow>);

#[derive(Debug, Default)]
struct AttentionRow {
    news: Seq,
    seen: Seq,
    version: u64,
    state: Option<String>,
    next_at: Option<Timestamp>,
}

impl AttentionTable {
    pub(super) fn mark(&mut self, session: SessionId, news: Seq) {
        let row = self.0.entry(session).or_default();
        row.news = row.news.max(news);
    }

    pub(super) fn due(&self, now: Timestamp, limit: usize) -> Vec<WatchedSession> {
        let news = self.0.iter().filter(|(_, row)| row.news > row.seen);
        let timed =
            |(_, row): &(&SessionId, &AttentionRow)| row.news <= row.seen && row.next_at.is_some_and(|at| at <= now);
        let mut due: Vec<_> = self.0.iter().filter(timed).collect();
        due.sort_by_key(|(_, row)| row.next_at);
        let watched = |(session, row): (&SessionId, &AttentionRow)| WatchedSession {
            session: *session,
            news: row.news,
            version: row.version,
            state: row.state.clone(),
        };
        news.chain(due).take(limit).map(watched).collect()
    }

    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.0.values().filter_map(|row| row.next_at).min()
    }

    /// Whether nobody looked meanwhile.
    pub(super) fn is_current(&self, look: &SessionLook) -> bool {
        self.0.get(&look.session).is_some_and(|row| row.version == look.version)
    }

    pub(super) fn looked(&mut self, look: SessionLook) {
        let Some(row) = self.0.get_mut(&look.session) else { return };
        row.version += 1;
        row.seen = row.seen.max(look.news);
        row.state = Some(look.state);
        row.next_at = look.next_at;
    }

    pub(super) fn erase(&mut self, session: SessionId) {
        self.0.remove(&session);
    }
}
