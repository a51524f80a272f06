//! The machine's clock is set back: what is due waits no longer for it than one pause of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::ids::{CallId, SessionId, ToolName};
use provost_domain::port::{Carried, Carrier, Clock, EnqueueAnswer, NewMessage, Outbox as _};
use provost_domain::time::Timestamp;
use provost_domain::tool::ToolCall;
use provost_engine::SteadyTime;
use provost_mail::{Outgoing, OutgoingParts};
use provost_store::{MemoryStore, SqliteStore};
use provost_tests::clock::TokioClock;
use provost_tests::house::House;
use provost_tests::model::PATIENCE;
use provost_tests::tools::Behaviour;
use serde_json::json;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

/// A clock that goes with tokio's time, and is set back by hand.
#[derive(Debug, Default)]
struct SetBack {
    clock: TokioClock,
    micros: AtomicI64,
}

impl SetBack {
    fn new() -> Arc<Self> {
        let clock = Self::default();
        clock.clock.begin();
        Arc::new(clock)
    }

    fn back(&self, span: Duration) {
        self.micros.fetch_add(i64::try_from(span.as_micros()).unwrap(), Ordering::Relaxed);
    }
}

impl Clock for SetBack {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.clock.now().micros() - self.micros.load(Ordering::Relaxed))
    }
}

/// Longer than anybody here waits.
const JUMP: Duration = Duration::from_hours(50);

#[tokio::test(start_paused = true)]
async fn a_watcher_goes_on_polling() {
    let mut pack = provost_tests::pack::pack();
    let gauge = pack.agents.values_mut().find(|agent| agent.watch.is_some()).unwrap();
    gauge.deadline = Duration::from_mins(10);
    provost_tests::pack::poll_every(gauge, Duration::from_secs(1));
    let clock = SetBack::new();
    let house = House::by_clock(Arc::new(MemoryStore::new()), pack, Arc::clone(&clock) as _).await;
    house.tools.gauge.behave(Behaviour::Works(json!({ "level": 9 })));
    let session = house.session("staging").await;
    house.model.finish("watch", 0.9);
    house.tools.gauge.arrived_times(2).await;
    clock.back(JUMP);
    house.tools.gauge.arrived_times(5).await;
    // The same where its process ends with it.
    clock.back(JUMP);
    let house = house.crash().await;
    house.tools.gauge.arrived_times(8).await;
    assert_eq!(house.problems(session).await, Vec::<String>::new());
    house.engine.shutdown(Duration::ZERO).await;
}

/// The same clock as a process reads it.
#[derive(Debug)]
struct Steadied {
    clock: Arc<SetBack>,
    time: SteadyTime,
    began: Instant,
}

impl Clock for Steadied {
    fn now(&self) -> Timestamp {
        self.time.now(self.clock.now(), self.began.elapsed())
    }
}

/// A watch of six seconds, which never recovers, up to its third poll.
async fn short_watch(clock: Arc<dyn Clock>) -> (House, SessionId) {
    let mut pack = provost_tests::pack::pack();
    let gauge = pack.agents.values_mut().find(|agent| agent.watch.is_some()).unwrap();
    gauge.deadline = Duration::from_secs(6);
    provost_tests::pack::poll_every(gauge, Duration::from_secs(1));
    let house = House::by_clock(Arc::new(MemoryStore::new()), pack, clock).await;
    house.tools.gauge.behave(Behaviour::Works(json!({ "level": 9 })));
    let session = house.session("staging").await;
    house.model.finish("watch", 0.9);
    house.tools.gauge.arrived_times(3).await;
    (house, session)
}

/// Red without `SteadyTime`: it would poll for fifty hours.
#[tokio::test(start_paused = true)]
async fn a_watch_of_six_seconds_ends_in_time() {
    let clock = SetBack::new();
    let (time, began) = (SteadyTime::new(), Instant::now());
    let (house, session) = short_watch(Arc::new(Steadied { clock: Arc::clone(&clock), time, began })).await;
    clock.back(JUMP);
    sleep_until(began + Duration::from_secs(8)).await;
    assert_eq!(house.model.asked().await.len(), 2, "it watches still: {:?}", house.kinds(session).await);
    assert_eq!(house.problems(session).await, Vec::<String>::new());
    house.engine.shutdown(Duration::ZERO).await;
}

/// Red if a watch ended by the clock it began under: its next owner's is behind it.
#[tokio::test(start_paused = true)]
async fn a_watch_of_six_seconds_ends_in_time_also_in_another_process() {
    let (clock, began) = (SetBack::new(), Instant::now());
    let (house, session) = short_watch(Arc::clone(&clock) as _).await;
    clock.back(JUMP);
    let house = house.crash().await;
    sleep_until(began + Duration::from_secs(12)).await;
    assert_eq!(house.model.asked().await.len(), 1, "it watches still: {:?}", house.kinds(session).await);
    assert_eq!(house.problems(session).await, Vec::<String>::new());
    house.engine.shutdown(Duration::ZERO).await;
}

/// Takes what it is brought.
#[derive(Debug, Default)]
struct Door(Notify);

#[async_trait]
impl Carrier for Door {
    async fn carry(&self, _call: &ToolCall) -> Carried {
        self.0.notify_one();
        Carried::Taken
    }
}

#[tokio::test]
async fn messages_that_were_queued_before_are_sent() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("p.db")).await.unwrap();
    let (clock, door) = (SetBack::new(), Arc::new(Door::default()));
    let target = ToolName::new("notify:x");
    let call = ToolCall {
        session: SessionId::new(uuid::Uuid::from_u128(1)),
        call: CallId::new("1.1.0"),
        tool: target.clone(),
        args: Arc::new(json!({})),
        key: "k".to_owned(),
    };
    assert_eq!(store.enqueue(NewMessage { call, at: clock.now() }).await, Ok(EnqueueAnswer::Stored));
    clock.back(JUMP);
    let house =
        House::by_clock(Arc::new(MemoryStore::new()), provost_tests::pack::pack(), Arc::clone(&clock) as _).await;
    let parts = OutgoingParts {
        outbox: Arc::new(store.clone()),
        reads: Arc::new(store.reads()),
        clock,
        give_up_after: Duration::from_hours(1),
        metrics: prometheus::Registry::new(),
    };
    let outgoing = Outgoing::new(parts).unwrap();
    outgoing.carry_with(BTreeMap::from([(target, Arc::clone(&door) as _)]));
    outgoing.start(&house.engine);
    timeout(PATIENCE, door.0.notified()).await.unwrap();
    house.engine.shutdown(Duration::ZERO).await;
    store.close().await;
}
