//! A store that says an intent is durable while it is still on its way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::event::EventBody;
use provost_domain::ids::{Handle, Owner, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::port::{Append, Appended, NewSession, Park, Parked, SessionStore, StoreError, TakenOver};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// How much later than its effect an intent is stored: time enough to die in between.
const LATE: Duration = Duration::from_millis(250);

/// Answers appends that hold intents before they are stored. All that follows for their session waits for them.
#[derive(Debug)]
pub struct LateIntents {
    store: Arc<dyn SessionStore>,
    on_their_way: Mutex<HashMap<SessionId, JoinHandle<()>>>,
}

impl LateIntents {
    /// Over a store that does what it says.
    pub fn new(store: Arc<dyn SessionStore>) -> Self {
        Self { store, on_their_way: Mutex::default() }
    }

    async fn arrived(&self, session: SessionId) {
        let on_its_way = self.on_their_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&session);
        if let Some(on_its_way) = on_its_way {
            // Where it was not stored, what follows does not fit and says so.
            drop(on_its_way.await);
        }
    }
}

fn intends(record: &AppendRecord) -> bool {
    let after = Seq(record.header.first_seq.0.saturating_sub(1));
    let events = record.open(after, record.prev).unwrap_or_default();
    events.iter().any(|event| matches!(event.body, EventBody::ToolIntended(_)))
}

#[async_trait]
impl SessionStore for LateIntents {
    async fn allot(&self, prefix: &str, day: &str) -> Result<Handle, StoreError> {
        self.store.allot(prefix, day).await
    }

    async fn create(&self, new: NewSession) -> Result<(), StoreError> {
        self.store.create(new).await
    }

    async fn take_over(&self, session: SessionId, owner: &Owner) -> Result<TakenOver, StoreError> {
        self.arrived(session).await;
        self.store.take_over(session, owner).await
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.arrived(append.session).await;
        let intent = append.record.as_ref().filter(|record| intends(record)).map(|record| record.header.last_seq);
        let Some(head_seq) = intent else { return self.store.append(append).await };
        let (store, session) = (Arc::clone(&self.store), append.session);
        let on_its_way = TaskTracker::new().spawn(async move {
            tokio::time::sleep(LATE).await;
            drop(store.append(append).await);
        });
        self.on_their_way.lock().unwrap_or_else(PoisonError::into_inner).insert(session, on_its_way);
        Ok(Appended { head_seq })
    }

    async fn park(&self, park: Park) -> Result<Parked, StoreError> {
        self.arrived(park.session).await;
        self.store.park(park).await
    }
}
