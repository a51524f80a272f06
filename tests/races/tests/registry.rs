//! The lock registry: one holder at a time, a truthful answer to everybody else, and nothing left behind.

use std::collections::BTreeSet;
use std::ops::{Range, RangeFrom};
use std::sync::{Mutex, PoisonError};

use provost_domain::ids::SessionId;
use provost_domain::time::Timestamp;
use provost_races::registry::{LockRegistry, SessionBusy, SessionGuard};
use shuttle::thread;

use crate::in_many_orders;

/// Threads that want the same sessions.
const THREADS: i64 = 3;
/// How often each of them asks.
const TIMES: i64 = 2;

/// Session 1 and 17 share a shard, 2 has its own.
const SESSIONS: [u128; 3] = [1, 17, 2];

fn session(n: u128) -> SessionId {
    SessionId::new(uuid::Uuid::from_u128(n))
}

/// An attempt to take a session: its number stands as `since` in the registry.
type Attempt = i64;

/// What became of the attempts. Its lock is never held where another thread can go on.
#[derive(Default)]
struct Book(Mutex<Attempts>);

#[derive(Clone, Default)]
struct Attempts {
    won: BTreeSet<(SessionId, Attempt)>,
    /// Sessions whose guard somebody has.
    held: BTreeSet<SessionId>,
    /// Those whose guard was dropped.
    given_back: BTreeSet<(SessionId, Attempt)>,
    /// Those that busy answers named.
    named: BTreeSet<(SessionId, Attempt)>,
}

impl Book {
    fn with<T>(&self, work: impl FnOnce(&mut Attempts) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Asks for a session. A busy answer must not name who had given it back before the question.
    fn ask(&self, registry: &LockRegistry, wanted: SessionId, attempt: Attempt) -> Option<SessionGuard> {
        let gone = self.with(|attempts| attempts.given_back.clone());
        match registry.try_acquire(wanted, &attempt.to_string(), Timestamp::from_micros(attempt)) {
            Ok(guard) => {
                assert_eq!(guard.session(), wanted);
                self.with(|attempts| {
                    attempts.won.insert((wanted, attempt));
                    assert!(attempts.held.insert(wanted), "two guards of one session");
                });
                Some(guard)
            }
            Err(SessionBusy { session, holder, since }) => {
                assert_eq!((session, holder), (wanted, since.micros().to_string()));
                assert!(
                    !gone.contains(&(wanted, since.micros())),
                    "attempt {since} had given the session back and is named"
                );
                self.with(|attempts| attempts.named.insert((wanted, since.micros())));
                None
            }
        }
    }

    fn give_back(&self, guard: SessionGuard, attempt: Attempt) {
        let session = guard.session();
        self.with(|attempts| attempts.held.remove(&session));
        drop(guard);
        self.with(|attempts| attempts.given_back.insert((session, attempt)));
    }

    /// Whoever was named had won, and every session is free.
    fn closes(&self, registry: &LockRegistry) {
        let Attempts { won, given_back, named, .. } = self.with(|attempts| attempts.clone());
        assert!(named.is_subset(&won), "{named:?} were named as holders, only {won:?} held");
        assert_eq!((registry.len(), registry.is_empty()), (0, true), "sessions are left behind");
        assert_eq!(won, given_back);
        for n in SESSIONS {
            drop(registry.try_acquire(session(n), "the last", Timestamp::default()).unwrap());
        }
    }
}

/// Takes the session as often as it can.
fn take_turns(registry: &LockRegistry, book: &Book, attempts: Range<Attempt>) {
    for attempt in attempts {
        if let Some(guard) = book.ask(registry, session(1), attempt) {
            // Its work, in which anybody may come.
            thread::yield_now();
            book.give_back(guard, attempt);
        }
    }
}

/// Takes what it can of all sessions, from the `first` one on, before it gives them back.
fn take_all(registry: &LockRegistry, book: &Book, first: usize, attempts: RangeFrom<Attempt>) {
    let order = SESSIONS.iter().cycle().skip(first).take(SESSIONS.len());
    let asked = order.zip(attempts).map(|(n, attempt)| book.ask(registry, session(*n), attempt).zip(Some(attempt)));
    for (guard, attempt) in asked.collect::<Vec<_>>().into_iter().flatten() {
        book.give_back(guard, attempt);
    }
}

/// Some ask for a session while others give it back.
fn of_one_session() {
    let (registry, book) = (LockRegistry::default(), Book::default());
    thread::scope(|scope| {
        let (registry, book) = (&registry, &book);
        for thread in 0..THREADS {
            scope.spawn(move || take_turns(registry, book, thread * TIMES..(thread + 1) * TIMES));
        }
    });
    assert!(book.with(|attempts| !attempts.won.is_empty()), "nobody got a free session");
    book.closes(&registry);
}

/// Each thread holds several sessions at once, in an order of its own, while another counts.
fn of_several_sessions() {
    let (registry, book) = (LockRegistry::default(), Book::default());
    thread::scope(|scope| {
        let (registry, book) = (&registry, &book);
        for (thread, first) in (0..THREADS).zip(0..) {
            scope.spawn(move || take_all(registry, book, first, thread * 10..));
        }
        scope.spawn(|| assert!(registry.len() <= SESSIONS.len()));
    });
    book.closes(&registry);
}

#[test]
fn a_session_has_one_holder_and_busy_names_it() {
    in_many_orders(of_one_session);
}

#[test]
fn sessions_of_one_shard_do_not_get_in_each_others_way() {
    in_many_orders(of_several_sessions);
}
