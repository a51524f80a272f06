//! The ports, each method a point.

use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::command::Command;
use provost_domain::failure::{FailureKind, ModelFailure};
use provost_domain::ids::{ApprovalId, CmdId, DeliveryId, Digest, Handle, MessageId, Owner, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::model::{ModelOrigin, ModelReply, ModelRequest};
use provost_domain::port::{
    AgainAnswer, Append, Appended, ApprovalFilter, ApprovalRow, Claimed, CommandLog, CommandOutcome, Deliveries,
    DismissAnswer, EnqueueAnswer, Erase, Erased, Erasure, Finish, InboxEntry, KeptAnswer, KeptPack, KnownRequest,
    ModelProvider, NewDelivery, NewMessage, NewSession, Outbox, PackShelf, Park, Parked, Prunable, Quiet, Reads,
    Requests, SessionFilter, SessionRow, SessionStore, Snapshot, StoreError, Submitted, TakenOver, ToolBackend, Tried,
    TryAnswer,
};
use provost_domain::time::Timestamp;
use provost_domain::tool::{Happened, ProbeAnswer, ToolCall, ToolFailure, ToolOutcome, ToolSpec};
use provost_store::MemoryStore;

use super::points::{Fault, Points};

/// What lies behind a port, and the points on the way.
#[derive(Debug)]
pub struct Pointed<T> {
    /// What lies behind.
    pub inner: T,
    points: Arc<Points>,
}

impl<T> Pointed<T> {
    /// Through these points.
    pub fn new(inner: T, points: &Arc<Points>) -> Self {
        Self { inner, points: Arc::clone(points) }
    }
}

/// The store behind its points.
pub type PointedStore = Pointed<Arc<MemoryStore>>;

impl<T> Pointed<T> {
    async fn stored<A, F: Future<Output = Result<A, StoreError>>>(
        &self,
        method: &str,
        call: impl Fn() -> F,
    ) -> Result<A, StoreError> {
        let failed = |fault| {
            let detail = format!("as told, at {method}");
            Err(if fault == Fault::Damaged { StoreError::Damaged { detail } } else { StoreError::Failed { detail } })
        };
        self.points.through(method, call, failed).await
    }
}

#[async_trait]
impl SessionStore for PointedStore {
    async fn allot(&self, prefix: &str, day: &str) -> Result<Handle, StoreError> {
        self.stored("store.allot", || self.inner.allot(prefix, day)).await
    }

    async fn create(&self, new: NewSession) -> Result<(), StoreError> {
        self.stored("store.create", || self.inner.create(new.clone())).await
    }

    async fn take_over(&self, session: SessionId, owner: &Owner) -> Result<TakenOver, StoreError> {
        self.stored("store.take_over", || self.inner.take_over(session, owner)).await
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        self.stored("store.append", || self.inner.append(append.clone())).await
    }

    async fn park(&self, park: Park) -> Result<Parked, StoreError> {
        self.stored("store.park", || self.inner.park(park.clone())).await
    }
}

#[async_trait]
impl CommandLog for PointedStore {
    async fn submit(&self, cmd_id: &CmdId, session: SessionId, command: &Command) -> Result<Submitted, StoreError> {
        self.stored("commands.submit", || self.inner.submit(cmd_id, session, command)).await
    }

    async fn outcome(&self, cmd_id: &CmdId, session: SessionId) -> Result<Option<CommandOutcome>, StoreError> {
        self.stored("commands.outcome", || self.inner.outcome(cmd_id, session)).await
    }

    async fn inbox(&self, session: SessionId) -> Result<(Vec<InboxEntry>, u64), StoreError> {
        self.stored("commands.inbox", || self.inner.inbox(session)).await
    }

    async fn runnable(&self, owner: &Owner, now: Timestamp, limit: u32) -> Result<Vec<Claimed>, StoreError> {
        self.stored("commands.runnable", || self.inner.runnable(owner, now, limit)).await
    }
}

#[async_trait]
impl Reads for PointedStore {
    async fn session(&self, id: SessionId) -> Result<SessionRow, StoreError> {
        self.stored("reads.session", || self.inner.session(id)).await
    }

    async fn by_handle(&self, handle: &Handle) -> Result<SessionId, StoreError> {
        self.stored("reads.by_handle", || self.inner.by_handle(handle)).await
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError> {
        self.stored("reads.sessions", || self.inner.sessions(filter)).await
    }

    async fn records(&self, id: SessionId, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError> {
        self.stored("reads.records", || self.inner.records(id, after, limit)).await
    }

    async fn snapshot(&self, id: SessionId) -> Result<Option<Snapshot>, StoreError> {
        self.stored("reads.snapshot", || self.inner.snapshot(id)).await
    }

    async fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        self.stored("reads.content", || self.inner.content(digest)).await
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<ApprovalRow>, StoreError> {
        self.stored("reads.approvals", || self.inner.approvals(filter)).await
    }

    async fn holder(
        &self,
        key: &provost_domain::claims::ClaimKey,
    ) -> Result<Option<provost_domain::projection::ClaimRow>, StoreError> {
        self.stored("reads.holder", || self.inner.holder(key)).await
    }

    async fn approval(&self, id: &ApprovalId) -> Result<ApprovalRow, StoreError> {
        self.stored("reads.approval", || self.inner.approval(id)).await
    }
}

#[async_trait]
impl<T: Deliveries> Deliveries for Pointed<Arc<T>> {
    async fn deliver(&self, delivery: NewDelivery) -> Result<(), StoreError> {
        self.stored("deliveries.deliver", || self.inner.deliver(delivery.clone())).await
    }

    async fn plan(&self, group: Digest, plan: &str) -> Result<(), StoreError> {
        self.stored("deliveries.plan", || self.inner.plan(group, plan)).await
    }

    async fn finish(&self, finish: Finish) -> Result<u64, StoreError> {
        self.stored("deliveries.finish", || self.inner.finish(finish.clone())).await
    }

    async fn dismiss(&self, id: &DeliveryId, note: &str) -> Result<DismissAnswer, StoreError> {
        self.stored("deliveries.dismiss", || self.inner.dismiss(id, note)).await
    }
}

#[async_trait]
impl<T: Outbox> Outbox for Pointed<Arc<T>> {
    async fn enqueue(&self, message: NewMessage) -> Result<EnqueueAnswer, StoreError> {
        self.stored("outbox.enqueue", || self.inner.enqueue(message.clone())).await
    }

    async fn tried(&self, tried: &Tried) -> Result<TryAnswer, StoreError> {
        self.stored("outbox.tried", || self.inner.tried(tried)).await
    }

    async fn again(&self, id: &MessageId, at: Timestamp) -> Result<AgainAnswer, StoreError> {
        self.stored("outbox.again", || self.inner.again(id, at)).await
    }
}

#[async_trait]
impl<T: PackShelf> PackShelf for Pointed<Arc<T>> {
    async fn keep(&self, packs: &[KeptPack]) -> Result<(), StoreError> {
        self.stored("shelf.keep", || self.inner.keep(packs)).await
    }
}

#[async_trait]
impl<T: Requests> Requests for Pointed<Arc<T>> {
    async fn claim(
        &self,
        key: Digest,
        fingerprint: Digest,
        at: Timestamp,
        forget: Timestamp,
    ) -> Result<KnownRequest, StoreError> {
        self.stored("requests.claim", || self.inner.claim(key, fingerprint, at, forget)).await
    }

    async fn answer(&self, key: Digest, answer: &KeptAnswer) -> Result<(), StoreError> {
        self.stored("requests.answer", || self.inner.answer(key, answer)).await
    }
}

#[async_trait]
impl<T: Erasure> Erasure for Pointed<Arc<T>> {
    async fn erase(&self, erase: Erase) -> Result<Erased, StoreError> {
        self.stored("erasure.erase", || self.inner.erase(erase.clone())).await
    }

    async fn expired(&self, before: Timestamp, after: Option<Quiet>, limit: u32) -> Result<Vec<Quiet>, StoreError> {
        self.stored("erasure.expired", || self.inner.expired(before, after, limit)).await
    }

    async fn prune(&self, what: Prunable, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.stored("erasure.prune", || self.inner.prune(what, before, limit)).await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.stored("erasure.scrub", || self.inner.scrub()).await
    }
}

#[async_trait]
impl<T: ToolBackend> ToolBackend for Pointed<Arc<T>> {
    fn spec(&self) -> &ToolSpec {
        self.inner.spec()
    }

    async fn call(&self, call: &ToolCall) -> ToolOutcome {
        let method = format!("tool.{}.call", call.tool);
        self.points.through(&method, || self.inner.call(call), failure).await
    }

    async fn probe(&self, call: &ToolCall) -> ProbeAnswer {
        let method = format!("tool.{}.probe", call.tool);
        let failed = |_| ProbeAnswer::CannotTell { detail: format!("as told, at {method}") };
        self.points.through(&method, || self.inner.probe(call), failed).await
    }
}

/// A call that never got there, or whose answer never came back.
fn failure(fault: Fault) -> ToolOutcome {
    let happened = if fault == Fault::Before { Happened::No } else { Happened::Maybe };
    let failure = ToolFailure {
        kind: FailureKind::Transient,
        happened,
        detail: "as told".to_owned(),
        exit: None,
        signal: None,
        timeout_ms: None,
    };
    ToolOutcome::Failed { failure }
}

#[async_trait]
impl<T: ModelProvider> ModelProvider for Pointed<Arc<T>> {
    fn origin(&self, name: &str) -> ModelOrigin {
        self.inner.origin(name)
    }

    fn reads_case(&self) -> bool {
        self.inner.reads_case()
    }

    fn body(&self, request: &ModelRequest) -> Result<Vec<u8>, ModelFailure> {
        self.inner.body(request)
    }

    async fn ask(&self, request: &ModelRequest, body: &[u8]) -> Result<ModelReply, ModelFailure> {
        let failed = |_| Err(ModelFailure::Unavailable { detail: "as told".to_owned() });
        self.points.through("model.ask", || self.inner.ask(request, body), failed).await
    }
}
