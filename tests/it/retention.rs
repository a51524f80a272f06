//! What goes because it is old: the ticker, as it runs in the daemon.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use prometheus::Registry;
use provost_domain::command::Ask;
use provost_domain::ids::SessionId;
use provost_domain::port::{Clock, Erase, Erased, Erasure, Prunable, Quiet, Reads as _, StoreError};
use provost_domain::principal::Principal;
use provost_domain::refusal::Refusal;
use provost_domain::time::Timestamp;
use provost_engine::{EngineError, Eraser, Retention, RetentionSettings, Scrub, SystemClock};
use provost_store::{MemoryStore, SqliteStore};
use provost_tests::house::House;
use provost_tests::transfer::raw;

/// A clock turned by hand, from the machine's time on.
#[derive(Debug)]
struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

impl Hand {
    fn turn(&self, span: Duration) {
        self.0.fetch_add(i64::try_from(span.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

const DAY: Duration = Duration::from_hours(24);

/// Counts how often the files were to be rewritten; nothing may go by age.
#[derive(Debug, Default)]
struct Scrubbed(AtomicI64);

#[async_trait]
impl Erasure for Scrubbed {
    async fn erase(&self, erase: Erase) -> Result<Erased, StoreError> {
        panic!("{} is nobody's to erase", erase.session)
    }

    async fn expired(&self, _before: Timestamp, _after: Option<Quiet>, _limit: u32) -> Result<Vec<Quiet>, StoreError> {
        panic!("sessions stay for good")
    }

    async fn prune(&self, what: Prunable, _before: Timestamp, _limit: u32) -> Result<u64, StoreError> {
        panic!("{what:?} stay for good")
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_crash_left_in_the_files_goes_soon_after_the_start_also_when_all_retention_is_off() {
    let house = House::on(Arc::new(MemoryStore::new()), Arc::new(provost_tests::pack::pack())).await;
    let files = Arc::new(Scrubbed::default());
    let settings = RetentionSettings { sessions: None, rows: [].into(), every: Duration::MAX };
    let door = Eraser::new(house.engine.clone(), Arc::clone(&files) as _);
    start(door, Arc::new(SystemClock), settings);
    assert_eq!(files.0.load(Ordering::Relaxed), 0, "the start does not wait for it");
    tokio::time::sleep(Duration::from_mins(4)).await;
    assert!(files.0.load(Ordering::Relaxed) > 0);
    house.engine.shutdown(Duration::ZERO).await;
}

/// Cannot look for sessions; counts how often the files were to be rewritten.
#[derive(Debug, Default)]
struct Failing(AtomicI64);

#[async_trait]
impl Erasure for Failing {
    async fn erase(&self, erase: Erase) -> Result<Erased, StoreError> {
        panic!("{} was never found", erase.session)
    }

    async fn expired(&self, _before: Timestamp, _after: Option<Quiet>, _limit: u32) -> Result<Vec<Quiet>, StoreError> {
        Err(StoreError::Failed { detail: "as told".to_owned() })
    }

    async fn prune(&self, what: Prunable, _before: Timestamp, _limit: u32) -> Result<u64, StoreError> {
        panic!("{what:?} stay for good")
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_still_rewrites_the_files() {
    let house = House::on(Arc::new(MemoryStore::new()), Arc::new(provost_tests::pack::pack())).await;
    let files = Arc::new(Failing::default());
    let (_clock, _figures) = retention(&house, Arc::clone(&files) as _, Duration::MAX);
    tokio::time::sleep(Duration::from_mins(4)).await;
    assert_eq!(files.0.load(Ordering::Relaxed), 2, "once after the start, and once with the look");
    house.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test(start_paused = true)]
async fn sessions_past_their_age_are_erased_and_open_ones_stay() {
    let store = Arc::new(MemoryStore::new());
    let house = House::on(Arc::clone(&store) as _, Arc::new(provost_tests::pack::pack())).await;
    let (old, open) = (house.session_as("staging", false).await, house.session_as("staging", false).await);
    house.ask(old, "somebody", Ask::Stop { reason: "done".to_owned() }).await.unwrap();
    house.until(old, "stopped").await;

    let (clock, figures) = retention(&house, Arc::clone(&store) as _, Duration::from_mins(1));
    let ticks = || tokio::time::sleep(Duration::from_mins(4));
    let erased = async |session: SessionId| store.session(session).await.unwrap().erased_at.is_some();
    clock.turn(29 * DAY);
    ticks().await;
    assert!(!erased(old).await, "not old enough");
    clock.turn(2 * DAY);
    ticks().await;
    assert!(erased(old).await && !erased(open).await);
    let tombstone = provost_engine::tombstone(&*store, old).await.unwrap().unwrap();
    let words = (tombstone.erased.by.to_string(), tombstone.erased.reason.as_str());
    assert_eq!(words, ("runtime:retention".to_owned(), "older than 30 days"));
    assert_eq!(house.problems(old).await, Vec::<String>::new());
    let figures = figures.gather();
    let pruned = figures.iter().find(|figure| figure.name() == "provost_pruned_total").unwrap();
    let counted = pruned.get_metric()[0].get_counter().get_value();
    assert!((counted - 1.0).abs() < f64::EPSILON, "{figures:?}");

    // It ends with its engine, and once more does no harm.
    house.ask(open, "somebody", Ask::Stop { reason: "done".to_owned() }).await.unwrap();
    house.until(open, "stopped").await;
    house.engine.shutdown(Duration::ZERO).await;
    house.engine.shutdown(Duration::ZERO).await;
    clock.turn(60 * DAY);
    ticks().await;
    assert!(!erased(open).await);
}

/// Retention of sessions after thirty days.
fn retention(house: &House, store: Arc<dyn Erasure>, every: Duration) -> (Arc<Hand>, Registry) {
    let clock = Arc::new(Hand(AtomicI64::new(SystemClock.now().micros())));
    let settings = RetentionSettings { sessions: Some(30 * DAY), rows: [].into(), every };
    let door = Eraser::new(house.engine.clone(), store);
    let figures = start(door, Arc::clone(&clock) as _, settings);
    (clock, figures)
}

/// Starts both tickers, as the daemon does.
fn start(eraser: Eraser, clock: Arc<dyn Clock>, settings: RetentionSettings) -> Registry {
    let (engine, figures) = (eraser.engine().clone(), Registry::new());
    drop(engine.start_ticker(Scrub::new(eraser.clone(), settings.every)));
    drop(engine.start_ticker(Retention::new(eraser, clock, settings, &figures).unwrap()));
    figures
}

/// A session that a person ended.
async fn stopped(house: &House) -> SessionId {
    let session = house.session_as("staging", false).await;
    house.ask(session, "somebody", Ask::Stop { reason: "done".to_owned() }).await.unwrap();
    house.until(session, "stopped").await;
    session
}

/// A store in which messages of some sessions wait to be sent, for ever.
#[derive(Debug)]
struct Waiting {
    store: Arc<MemoryStore>,
    sessions: BTreeSet<SessionId>,
}

#[async_trait]
impl Erasure for Waiting {
    async fn erase(&self, erase: Erase) -> Result<Erased, StoreError> {
        if self.sessions.contains(&erase.session) {
            return Ok(Erased::Unsent { messages: 1 });
        }
        self.store.erase(erase).await
    }

    async fn expired(&self, before: Timestamp, after: Option<Quiet>, limit: u32) -> Result<Vec<Quiet>, StoreError> {
        self.store.expired(before, after, limit).await
    }

    async fn prune(&self, what: Prunable, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.store.prune(what, before, limit).await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.store.scrub().await
    }
}

#[tokio::test(start_paused = true)]
async fn sessions_that_may_not_go_keep_no_other() {
    let store = Arc::new(MemoryStore::new());
    let house = House::on(Arc::clone(&store) as _, Arc::new(provost_tests::pack::pack())).await;
    let mut sessions = BTreeSet::new();
    // More than one tick looks at.
    for _ in 0..130 {
        sessions.insert(stopped(&house).await);
    }
    let young = stopped(&house).await;
    let waiting = Waiting { store: Arc::clone(&store), sessions };
    let (clock, _figures) = retention(&house, Arc::new(waiting), Duration::from_mins(10));
    clock.turn(31 * DAY);
    tokio::time::sleep(Duration::from_mins(30)).await;
    assert!(store.session(young).await.unwrap().erased_at.is_some());
    house.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumped_takes_nothing_until_it_has_stood_for_a_while() {
    let store = Arc::new(MemoryStore::new());
    let house = House::on(Arc::clone(&store) as _, Arc::new(provost_tests::pack::pack())).await;
    let session = stopped(&house).await;
    let (clock, _figures) = retention(&house, Arc::clone(&store) as _, Duration::from_mins(10));
    let erased = async || store.session(session).await.unwrap().erased_at.is_some();
    clock.turn(3650 * DAY);
    tokio::time::sleep(Duration::from_mins(8)).await;
    assert!(!erased().await, "it was only just set");
    tokio::time::sleep(Duration::from_mins(12)).await;
    assert!(erased().await, "it still stands there");
    house.engine.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn a_log_that_cannot_be_read_goes_when_a_person_says_so_and_never_by_age() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let house = House::on(Arc::new(store.clone()), Arc::new(provost_tests::pack::pack())).await;
    let session = stopped(&house).await;
    raw(&path, "DROP TRIGGER appends_no_update; UPDATE appends SET salt = zeroblob(16) WHERE first_seq = 2").await;
    let door = Eraser::new(house.engine.clone(), Arc::new(store.clone()));
    let by = Principal::parse("somebody");
    let refused = door.expire(session, &by, "old").await;
    let Err(EngineError::Refused(Refusal::NotErasable { why })) = refused else { panic!("{refused:?}") };
    assert!(why.contains("the log does not hold together"), "{why}");
    assert!(store.session(session).await.unwrap().erased_at.is_none());
    door.erase(session, &by, "asked to").await.unwrap();
    assert!(store.session(session).await.unwrap().erased_at.is_some());
    house.engine.shutdown(Duration::ZERO).await;
    store.close().await;
}
