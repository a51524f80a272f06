//! The session's log as it stands in the store, read on where it was left.

use std::sync::Arc;

use provost_domain::event::Event;
use provost_domain::ids::SessionId;
use provost_domain::session::Session;
use provost_engine::LogReader;
use provost_store::MemoryStore;
use tokio::sync::Mutex;

/// One session's log. It is no process's: it reads past every port.
#[derive(Debug)]
pub struct Log {
    store: Arc<MemoryStore>,
    read: Mutex<(LogReader, Vec<Event>)>,
}

impl Log {
    /// Of a session of this store.
    pub fn new(store: &Arc<MemoryStore>, session: SessionId) -> Self {
        Self { store: Arc::clone(store), read: Mutex::new((LogReader::new(session), Vec::new())) }
    }

    /// Looks at the session and its events as they stand now; `None` while there is no such session.
    pub async fn look<T>(&self, work: impl FnOnce(&Session, &[Event]) -> T) -> Option<T> {
        let mut read = self.read.lock().await;
        let (reader, events) = &mut *read;
        events.extend(reader.next(&*self.store).await.ok()?);
        reader.session().map(|session| work(session, events))
    }
}
