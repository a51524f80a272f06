//! A store as its ports: who uses one names no engine of storage.

use std::future::pending;
use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::port::{
    AttentionLog, Backup, CommandLog, Deliveries, DeliveryReads, Erasure, Examine, Imports, Leases, Outbox,
    OutboxReads, PackReads, PackShelf, PageSessions, Reads, Requests, SessionStore, StoreError, TokenReads, Tokens,
};

use crate::leases::SingleNode;
use crate::memory::MemoryStore;
use crate::sqlite::{SqliteReads, SqliteStore};

/// The store of a running process. Cloning shares it; it ends with [`Stores::close`] or its last clone.
#[derive(Debug, Clone)]
pub struct Stores {
    /// The sessions' logs, written by their owners.
    pub log: Arc<dyn SessionStore>,
    /// Their inboxes.
    pub commands: Arc<dyn CommandLog>,
    /// Access tokens.
    pub tokens: Arc<dyn Tokens>,
    /// People's logins at the page.
    pub page_sessions: Arc<dyn PageSessions>,
    /// What came in from outside.
    pub deliveries: Arc<dyn Deliveries>,
    /// What is to be told outside.
    pub outbox: Arc<dyn Outbox>,
    /// What people are told of sessions.
    pub attention: Arc<dyn AttentionLog>,
    /// Requests by their idempotency keys.
    pub requests: Arc<dyn Requests>,
    /// Packs as files.
    pub packs: Arc<dyn PackShelf>,
    /// Erases and prunes.
    pub erasure: Arc<dyn Erasure>,
    /// Takes in sessions of other stores.
    pub imports: Arc<dyn Imports>,
    /// Which nodes are alive.
    pub leases: Arc<dyn Leases>,
    /// The read side, which never waits for writes.
    pub reads: StoreReads,
    life: Arc<dyn Life>,
}

/// The read side of a store. Cloning shares it.
#[derive(Debug, Clone)]
pub struct StoreReads {
    /// Sessions, their logs and approvals.
    pub sessions: Arc<dyn Reads>,
    /// Access tokens.
    pub tokens: Arc<dyn TokenReads>,
    /// What came in from outside.
    pub deliveries: Arc<dyn DeliveryReads>,
    /// What is to be told outside.
    pub outbox: Arc<dyn OutboxReads>,
    /// Packs as files.
    pub packs: Arc<dyn PackReads>,
    /// Looks at everything there is.
    pub examine: Arc<dyn Examine>,
    /// Copies the whole store.
    pub backup: Arc<dyn Backup>,
    life: Arc<dyn Life>,
}

/// How a store ends.
#[async_trait]
trait Life: Send + Sync + std::fmt::Debug {
    /// Waits until the storage fails under it, if ever.
    async fn died(&self) -> StoreError;

    /// Finishes what is queued, and lets go of the storage.
    async fn close(&self);
}

impl Stores {
    /// Waits until the storage fails under it (disk full, file gone), after which every write is refused: the process
    /// should end and start again. Never returns otherwise.
    pub async fn died(&self) -> StoreError {
        self.life.died().await
    }

    /// Writes what is queued and closes. Once it returns, another process may open the store; later calls fail.
    pub async fn close(&self) {
        self.life.close().await;
    }
}

impl StoreReads {
    /// Lets go of the storage; later reads fail.
    pub async fn close(&self) {
        self.life.close().await;
    }
}

impl From<SqliteStore> for Stores {
    fn from(store: SqliteStore) -> Self {
        let reads = store.reads().into();
        let store = Arc::new(store);
        Self {
            log: Arc::clone(&store) as _,
            commands: Arc::clone(&store) as _,
            tokens: Arc::clone(&store) as _,
            page_sessions: Arc::clone(&store) as _,
            deliveries: Arc::clone(&store) as _,
            outbox: Arc::clone(&store) as _,
            attention: Arc::clone(&store) as _,
            requests: Arc::clone(&store) as _,
            packs: Arc::clone(&store) as _,
            erasure: Arc::clone(&store) as _,
            imports: Arc::clone(&store) as _,
            leases: Arc::new(SingleNode::default()),
            reads,
            life: store,
        }
    }
}

impl From<SqliteReads> for StoreReads {
    fn from(reads: SqliteReads) -> Self {
        let reads = Arc::new(reads);
        Self {
            sessions: Arc::clone(&reads) as _,
            tokens: Arc::clone(&reads) as _,
            deliveries: Arc::clone(&reads) as _,
            outbox: Arc::clone(&reads) as _,
            packs: Arc::clone(&reads) as _,
            examine: Arc::clone(&reads) as _,
            backup: Arc::clone(&reads) as _,
            life: reads,
        }
    }
}

impl From<Arc<MemoryStore>> for Stores {
    fn from(store: Arc<MemoryStore>) -> Self {
        let reads = StoreReads {
            sessions: Arc::clone(&store) as _,
            tokens: Arc::clone(&store) as _,
            deliveries: Arc::clone(&store) as _,
            outbox: Arc::clone(&store) as _,
            packs: Arc::clone(&store) as _,
            examine: Arc::clone(&store) as _,
            backup: Arc::clone(&store) as _,
            life: Arc::clone(&store) as _,
        };
        Self {
            log: Arc::clone(&store) as _,
            commands: Arc::clone(&store) as _,
            tokens: Arc::clone(&store) as _,
            page_sessions: Arc::clone(&store) as _,
            deliveries: Arc::clone(&store) as _,
            outbox: Arc::clone(&store) as _,
            attention: Arc::clone(&store) as _,
            requests: Arc::clone(&store) as _,
            packs: Arc::clone(&store) as _,
            erasure: Arc::clone(&store) as _,
            imports: Arc::clone(&store) as _,
            leases: Arc::new(SingleNode::default()),
            reads,
            life: store,
        }
    }
}

#[async_trait]
impl Life for SqliteStore {
    async fn died(&self) -> StoreError {
        self.died().await
    }

    async fn close(&self) {
        self.close().await;
    }
}

#[async_trait]
impl Life for SqliteReads {
    async fn died(&self) -> StoreError {
        pending().await
    }

    async fn close(&self) {
        self.close().await;
    }
}

#[async_trait]
impl Life for MemoryStore {
    async fn died(&self) -> StoreError {
        pending().await
    }

    async fn close(&self) {}
}
