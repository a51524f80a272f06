//! The same random commands give the same on every store: logs byte for byte, rows, approvals, inboxes, outcomes and errors.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use provost_domain::event::ApprovalState;
use provost_domain::ids::{ApprovalId, Digest, Seq};
use provost_domain::port::{
    Append, ApprovalChange, ApprovalFilter, NewSession, Park, Snapshot, StoreError, Submitted, TakenOver,
};
use provost_domain::principal::Principal;
use provost_domain::tool::Content;
use provost_store::Stores;

use crate::approvals::asked;
use crate::support::{Driven, Subject, ack, at, cmd, id, new, owner, stop};

/// Sequences tried; each step of each is compared.
const CASES: u32 = 64;
/// Sessions of a sequence.
const SESSIONS: u8 = 3;
/// Owners that take them from each other.
const OWNERS: [&str; 2] = ["me", "other"];

/// What an append holds besides its events.
#[derive(Debug, Clone, Copy)]
enum Extra {
    Nothing,
    Ack(u8),
    Asked(u8),
    Decided(u8),
    Kept(u8),
    Snapshot,
    End { release: bool },
}

#[derive(Debug, Clone)]
enum Step {
    Create {
        n: u8,
        first: bool,
    },
    TakeOver {
        n: u8,
        by: usize,
    },
    /// `behind`: as one who missed that much; without events it only settles.
    Append {
        n: u8,
        by: usize,
        events: u64,
        extra: Extra,
        behind: u64,
    },
    /// The last append of this owner, sent again.
    Again {
        n: u8,
        by: usize,
    },
    Park {
        n: u8,
        by: usize,
        seen: u64,
        timer: Option<i64>,
    },
    Submit {
        n: u8,
        name: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let (n, by) = (0..SESSIONS, 0..OWNERS.len());
    let extra = prop_oneof![
        4 => Just(Extra::Nothing),
        2 => (0_u8..3).prop_map(Extra::Ack),
        1 => (0_u8..3).prop_map(Extra::Asked),
        1 => (0_u8..3).prop_map(Extra::Decided),
        1 => (0_u8..3).prop_map(Extra::Kept),
        1 => Just(Extra::Snapshot),
        1 => any::<bool>().prop_map(|release| Extra::End { release }),
    ];
    let append = (n.clone(), by.clone(), 0_u64..4, extra, prop_oneof![6 => Just(0_u64), 1 => 1_u64..3]);
    let timer = proptest::option::of(0_i64..20);
    prop_oneof![
        2 => (n.clone(), any::<bool>()).prop_map(|(n, first)| Step::Create { n, first }),
        3 => (n.clone(), by.clone()).prop_map(|(n, by)| Step::TakeOver { n, by }),
        8 => append.prop_map(|(n, by, events, extra, behind)| Step::Append { n, by, events, extra, behind }),
        1 => (n.clone(), by.clone()).prop_map(|(n, by)| Step::Again { n, by }),
        2 => (n.clone(), by, 0_u64..3, timer).prop_map(|(n, by, seen, timer)| Step::Park { n, by, seen, timer }),
        3 => (n, 0_u8..3).prop_map(|(n, name)| Step::Submit { n, name }),
    ]
}

/// Two stores that are told the same.
struct Pair {
    one: Stores,
    two: Stores,
    /// Ids of this sequence: the stores are shared by all of them.
    base: u128,
    views: BTreeMap<(u8, usize), Driven>,
    sent: BTreeMap<(u8, usize), Append>,
}

/// Storage failures say different things on different stores.
fn kind<T>(result: Result<T, StoreError>) -> Result<T, StoreError> {
    result.map_err(|error| match error {
        StoreError::Failed { .. } => StoreError::Failed { detail: String::new() },
        other @ (StoreError::Fenced
        | StoreError::Stale
        | StoreError::NotClaimed { .. }
        | StoreError::Missing { .. }
        | StoreError::Erased { .. }
        | StoreError::Damaged { .. }
        | StoreError::Held { .. }) => other,
    })
}

type Taken = (provost_domain::port::SessionRow, Option<Snapshot>, Vec<provost_domain::log::AppendRecord>, usize);

fn parts(taken: Result<TakenOver, StoreError>) -> Result<Taken, StoreError> {
    kind(taken).map(|taken| (taken.row, taken.snapshot, taken.records, taken.inbox.len()))
}

impl Pair {
    fn number(&self, n: u8) -> u128 {
        self.base + u128::from(n)
    }

    /// Who was never told of a session speaks as if it had seen nothing of it.
    fn view(&self, n: u8, by: usize) -> Driven {
        self.views.get(&(n, by)).cloned().unwrap_or_else(|| Driven {
            store: self.one.clone(),
            id: id(self.number(n)),
            owner: owner(OWNERS[by]),
            fence: provost_domain::ids::Fence(1),
            head: Seq(0),
            prev: Digest::default(),
        })
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Create { n, first } => self.create(n, first).await,
            Step::TakeOver { n, by } => self.take_over(n, by).await,
            Step::Append { n, by, events, extra, behind } => {
                let append = self.append(&self.view(n, by), events, extra, behind);
                self.write(n, by, append).await;
            }
            Step::Again { n, by } => {
                if let Some(append) = self.sent.get(&(n, by)).cloned() {
                    self.write(n, by, append).await;
                }
            }
            Step::Park { n, by, seen, timer } => {
                let Driven { id: session, fence, owner, .. } = self.view(n, by);
                let park = Park { session, fence, owner, wake_seq: seen, next_run_at: timer.map(at) };
                assert_eq!(kind(self.one.log.park(park.clone()).await), kind(self.two.log.park(park).await));
            }
            Step::Submit { n, name } => {
                let (session, name) = (id(self.number(n)), cmd(&format!("c{name}")));
                let one: Result<Submitted, _> = kind(self.one.commands.submit(&name, session, &stop()).await);
                assert_eq!(one, kind(self.two.commands.submit(&name, session, &stop()).await));
            }
        }
    }

    async fn create(&mut self, n: u8, first: bool) {
        let view = Driven { fence: provost_domain::ids::Fence(1), ..self.view(n, 0) };
        let fresh = Driven { head: Seq(0), prev: Digest::default(), ..view };
        let first = first.then(|| Box::new(fresh.next(2)));
        let row = NewSession { first: first.clone(), ..new(self.number(n)) };
        let one = kind(self.one.log.create(row.clone()).await);
        assert_eq!(one, kind(self.two.log.create(row).await));
        if let (Ok(()), Some(record)) = (one, first.and_then(|first| first.record)) {
            self.views.insert((n, 0), Driven { head: Seq(2), prev: record.hash, ..fresh });
        }
    }

    async fn take_over(&mut self, n: u8, by: usize) {
        let (session, by_whom) = (id(self.number(n)), owner(OWNERS[by]));
        let taken = self.one.log.take_over(session, &by_whom).await;
        if let Ok(taken) = &taken {
            self.views.insert((n, by), Driven::of(&self.one, taken, OWNERS[by]));
        }
        assert_eq!(parts(taken), parts(self.two.log.take_over(session, &by_whom).await));
    }

    fn append(&self, view: &Driven, events: u64, extra: Extra, behind: u64) -> Append {
        let view = Driven { head: Seq(view.head.0.saturating_sub(behind)), ..view.clone() };
        let mut append = if events == 0 { view.bare() } else { view.next(events) };
        let head = Seq(view.head.0 + events);
        let approval = |name: u8| ApprovalId::new(format!("{}-{name}", self.base));
        match extra {
            Extra::Nothing => {}
            Extra::Ack(name) => append.acks.push(ack(&format!("c{name}"))),
            Extra::Asked(name) => {
                let row = provost_domain::port::ApprovalRow { id: approval(name), ..asked(view.id, "a") };
                append.approvals.push(ApprovalChange::Asked(Box::new(row)));
            }
            Extra::Decided(name) => append.approvals.push(ApprovalChange::Decided {
                id: approval(name),
                state: ApprovalState::Approved,
                by: Some(Principal::user("a")),
                edited: None,
                at: at(5),
            }),
            Extra::Kept(byte) => {
                let bytes = vec![byte; 5000];
                append.contents.push(Content { digest: Digest::of(&bytes), bytes });
            }
            Extra::Snapshot => {
                let hash = append.record.as_ref().map_or(view.prev, |record| record.hash);
                append.snapshot = Some(Snapshot { seq: head, hash, header: b"header".to_vec() });
            }
            Extra::End { release } => {
                (append.status, append.ended, append.release) =
                    (provost_domain::status::Status::Stopped, true, release);
            }
        }
        append
    }

    async fn write(&mut self, n: u8, by: usize, append: Append) {
        let mut view = self.view(n, by);
        let one = kind(self.one.log.append(append.clone()).await);
        assert_eq!(one, kind(self.two.log.append(append.clone()).await), "{append:?}");
        if let Ok(appended) = one
            && appended.head_seq >= view.head
        {
            view.head = appended.head_seq;
            view.prev = append.record.as_ref().map_or(view.prev, |record| record.hash);
            self.views.insert((n, by), view);
        }
        self.sent.insert((n, by), append);
    }

    /// All that anybody can read of the sequence's sessions.
    async fn compare(&self) {
        let (one, two) = (&self.one, &self.two);
        for n in 0..SESSIONS {
            let session = id(self.number(n));
            assert_eq!(
                kind(one.reads.sessions.session(session).await),
                kind(two.reads.sessions.session(session).await)
            );
            let all = u32::MAX;
            assert_eq!(
                kind(one.reads.sessions.records(session, Seq(0), all).await),
                kind(two.reads.sessions.records(session, Seq(0), all).await)
            );
            assert_eq!(
                kind(one.reads.sessions.records(session, Seq(2), 2).await),
                kind(two.reads.sessions.records(session, Seq(2), 2).await)
            );
            assert_eq!(kind(one.commands.inbox(session).await), kind(two.commands.inbox(session).await));
            for name in ["c0", "c1", "c2"].map(cmd) {
                assert_eq!(
                    kind(one.commands.outcome(&name, session).await),
                    kind(two.commands.outcome(&name, session).await)
                );
            }
            for pending_only in [true, false] {
                let filter =
                    ApprovalFilter { session: Some(session), pending_only, limit: 100, ..ApprovalFilter::default() };
                assert_eq!(one.reads.sessions.approvals(&filter).await, two.reads.sessions.approvals(&filter).await);
            }
        }
        for by in OWNERS {
            let mut found = [
                one.commands.runnable(&owner(by), at(10), u32::MAX).await,
                two.commands.runnable(&owner(by), at(10), u32::MAX).await,
            ]
            .map(|found| found.unwrap().into_iter().map(|claimed| claimed.session).collect::<Vec<_>>());
            for sessions in &mut found {
                sessions.sort();
            }
            let own = |sessions: &[_]| {
                let first = id(self.base);
                sessions.iter().copied().filter(|session| *session >= first).collect::<Vec<_>>()
            };
            assert_eq!(own(&found[0]), own(&found[1]));
        }
    }
}

#[test]
fn the_same_commands_give_the_same_on_every_store() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (memory, sqlite) = (runtime.block_on(Subject::memory()), runtime.block_on(Subject::sqlite()));
    let next = std::cell::Cell::new(1_000_u128);
    let config = Config { cases: CASES, failure_persistence: None, max_shrink_iters: 500, ..Config::default() };
    let outcome = TestRunner::new(config).run(&proptest::collection::vec(step(), 1..30), |steps| {
        // Fresh ids each time: a sequence that is tried again while shrinking meets nothing of its own.
        let base = next.get();
        next.set(base + 10);
        let (one, two) = (memory.store.clone(), sqlite.store.clone());
        let mut pair = Pair { one, two, base, views: BTreeMap::new(), sent: BTreeMap::new() };
        runtime.block_on(async {
            for step in steps {
                pair.take(step).await;
                pair.compare().await;
            }
        });
        Ok(())
    });
    outcome.unwrap();
}
