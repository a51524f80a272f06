//! People's logins at the page, in memory.

use std::collections::HashMap;

use provost_domain::ids::Digest;
use provost_domain::port::PageSession;

/// All logins.
#[derive(Debug, Default)]
pub(super) struct PageSessionTable(HashMap<Digest, PageSession>);

impl PageSessionTable {
    pub(super) fn begin(&mut self, session: &PageSession) {
        self.0.retain(|_, other| other.expires_at > session.begun_at);
        self.0.insert(session.digest, session.clone());
    }

    pub(super) fn get(&self, digest: Digest) -> Option<PageSession> {
        self.0.get(&digest).cloned()
    }

    pub(super) fn end(&mut self, digest: Digest) {
        self.0.remove(&digest);
    }
}
