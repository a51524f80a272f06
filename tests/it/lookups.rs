//! What callers look up costs what has happened since the last snapshot, however long the log is; and access is checked by
//! the operations themselves, whatever face asks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use provost_domain::access::{AccessRole, Permission};
use provost_domain::command::{Answer, Ask};
use provost_domain::ids::{ApprovalId, Digest, Handle, PackName, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::origin::CaseOrigin;
use provost_domain::port::{ApprovalFilter, Reads, SessionFilter, Snapshot, StoreError};
use provost_domain::projection::{ApprovalRow, SessionRow};
use provost_engine::{Eraser, SystemClock};
use provost_face::{Caller, CaseRequest, Code, CommandRequest, Lookups, Operations, TokenOperations};
use provost_store::SqliteStore;
use provost_tests::house::{House, person};
use serde_json::json;
use tempfile::TempDir;

use crate::approvals::waiting;

/// Counts the records that are read.
#[derive(Debug)]
struct Counted {
    reads: Arc<dyn Reads>,
    records: AtomicUsize,
}

impl Counted {
    fn over(house: &House) -> Arc<Self> {
        Arc::new(Self { reads: house.reads(), records: AtomicUsize::new(0) })
    }

    fn taken(&self) -> usize {
        self.records.swap(0, Ordering::Relaxed)
    }
}

#[async_trait]
impl Reads for Counted {
    async fn session(&self, id: SessionId) -> Result<SessionRow, StoreError> {
        self.reads.session(id).await
    }

    async fn by_handle(&self, handle: &Handle) -> Result<SessionId, StoreError> {
        self.reads.by_handle(handle).await
    }

    async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRow>, StoreError> {
        self.reads.sessions(filter).await
    }

    async fn records(&self, id: SessionId, after: Seq, limit: u32) -> Result<Vec<AppendRecord>, StoreError> {
        let records = self.reads.records(id, after, limit).await?;
        self.records.fetch_add(records.len(), Ordering::Relaxed);
        Ok(records)
    }

    async fn snapshot(&self, id: SessionId) -> Result<Option<Snapshot>, StoreError> {
        self.reads.snapshot(id).await
    }

    async fn content(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        self.reads.content(digest).await
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<ApprovalRow>, StoreError> {
        self.reads.approvals(filter).await
    }

    async fn holder(
        &self,
        key: &provost_domain::claims::ClaimKey,
    ) -> Result<Option<provost_domain::projection::ClaimRow>, StoreError> {
        self.reads.holder(key).await
    }

    async fn approval(&self, id: &ApprovalId) -> Result<ApprovalRow, StoreError> {
        self.reads.approval(id).await
    }
}

fn viewer() -> Caller {
    Caller { principal: person("viewer"), role: AccessRole::Viewer }
}

#[tokio::test]
async fn a_long_session_is_read_from_its_snapshot() {
    let house = House::open().await;
    let session = house.session("staging").await;
    for round in 0..3 {
        let calls: Vec<_> = (0..8).map(|n| ("read__gauge", json!({"n": 10 * round + n}))).collect();
        house.model.calls(&calls);
    }
    house.model.finish("close", 0.9);
    // The second agent's turn has begun, and its model does not answer.
    house.model.asked_times(5).await;
    let counted = Counted::over(&house);
    let state = Lookups::new(Arc::<Counted>::clone(&counted)).session(&viewer(), session).await.unwrap();
    assert_eq!(state.session, house.folded(session).await);
    let read = counted.taken();
    let all = counted.reads.records(session, Seq(0), u32::MAX).await.unwrap().len();
    let snapshot = counted.snapshot(session).await.unwrap().unwrap();
    let since = counted.reads.records(session, snapshot.seq, u32::MAX).await.unwrap().len();
    assert!(since < all, "the snapshot is at {}, of {all} records", snapshot.seq);
    assert_eq!(read, since, "of {all}");
}

#[tokio::test]
async fn what_waits_for_approval_is_shown_without_a_log() {
    let (house, session, approval) = waiting().await;
    let counted = Counted::over(&house);
    let lookups = Lookups::new(Arc::<Counted>::clone(&counted));
    let queue = lookups.approval_queue(&viewer()).await.unwrap();
    let pending: Vec<_> = queue.pending.iter().map(|row| &row.id).collect();
    assert_eq!(pending, [&approval]);
    assert_eq!(queue.sessions[0].session.approvals().keys().collect::<Vec<_>>(), [&approval]);
    assert_eq!(counted.taken(), 0, "records read");
    house.answer(session, &approval, Answer::Approve).await.unwrap();
    let queue = lookups.approval_queue(&viewer()).await.unwrap();
    assert_eq!((queue.pending.len(), queue.sessions.len()), (0, 0));
    assert_eq!(counted.taken(), 0, "records read");
}

/// What each role may have done, by the operation that is asked; a face's own guard is not in the way here.
#[tokio::test]
async fn every_operation_checks_who_asks() {
    let house = House::open().await;
    let session = house.session("staging").await;
    let folder = TempDir::new().unwrap();
    let store = Arc::new(SqliteStore::open(&folder.path().join("tokens.db")).await.unwrap());
    let operations =
        Operations::new(house.engine.clone(), Eraser::new(house.engine.clone(), Arc::<SqliteStore>::clone(&store)));
    let tokens = TokenOperations::new(store, Arc::new(SystemClock));
    let lookups = operations.lookups();
    let every = SessionFilter { limit: 1, ..SessionFilter::default() };
    for role in AccessRole::ALL {
        let by = Caller { principal: person("somebody"), role };
        let may = |permission| role.may(permission);
        let case = CaseRequest {
            id: CaseRequest::fresh_id(),
            repeatable: false,
            pack: PackName::new("none"),
            fields: json!({}),
            title: None,
            origin: CaseOrigin::default(),
            start: false,
        };
        let stop = CommandRequest::fresh(Ask::Continue);
        let none = ApprovalId::new("apr_none");
        let asked = [
            ("list", Permission::Look, lookups.sessions(&by, &every).await.err()),
            ("show", Permission::Look, lookups.session(&by, session).await.err()),
            ("log", Permission::Look, lookups.log_page(&by, session, Seq(0), 1).await.err()),
            ("records", Permission::Look, lookups.records(&by, session, Seq(0), 1).await.err()),
            ("timeline", Permission::Look, lookups.timeline(&by, session, Seq(0), 1).await.err()),
            ("queue", Permission::Look, lookups.approval_queue(&by).await.err()),
            ("packs", Permission::Look, operations.packs(&by).err()),
            ("open", Permission::Operate, operations.open(&by, case).await.err()),
            ("continue", Permission::Operate, operations.ask(&by, session, stop).await.err()),
            ("answer", Permission::Approve, operations.answering(&by, none, (Answer::Approve, None)).await.err()),
            ("erase", Permission::Administer, operations.erase(&by, session, "why".to_owned()).await.err()),
            ("tokens", Permission::Administer, tokens.list(&by).await.err()),
        ];
        for (name, permission, error) in asked {
            let barred = error.as_ref().is_some_and(|error| error.code() == Code::Forbidden);
            assert_eq!(barred, !may(permission), "{name} by {role}: {error:?}");
        }
    }
}
