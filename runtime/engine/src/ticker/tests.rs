//! The scaffold, in virtual time.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use prometheus::{Registry, TextEncoder};
use provost_domain::port::{Clock, Random};
use provost_domain::time::Timestamp;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::*;
use crate::backoff::Backoff;
use crate::tasks::Tasks;

const MINUTE: Duration = Duration::from_mins(1);

/// What one tick does.
#[derive(Debug, Clone, Copy)]
enum Act {
    Succeeds(Next),
    Fails,
    Panics,
    Hangs,
}

/// Notes when it ticks; does as it is told, and rests once it was told everything.
#[derive(Debug)]
struct ScriptedTicker {
    acts: Vec<Act>,
    began: Instant,
    ticks: Arc<Mutex<Vec<u64>>>,
    wake: Arc<Notify>,
}

#[async_trait]
impl Ticker for ScriptedTicker {
    fn settings(&self) -> TickerSettings {
        TickerSettings {
            name: "told",
            first: Duration::from_secs(5),
            period: MINUTE,
            jitter: 0.0,
            limit: Duration::from_secs(10),
            backoff: Backoff::doubling(Duration::from_secs(1), Duration::from_secs(3)),
        }
    }

    fn wake(&self) -> Option<Arc<Notify>> {
        Some(Arc::clone(&self.wake))
    }

    async fn tick(&mut self) -> Result<Next, TickFailure> {
        self.ticks.lock().unwrap().push(self.began.elapsed().as_secs());
        match self.acts.pop() {
            Some(Act::Succeeds(next)) => Ok(next),
            Some(Act::Fails) => Err(TickFailure::new("as told")),
            Some(Act::Panics) => panic!("as told"),
            Some(Act::Hangs) => std::future::pending().await,
            None => Ok(Next::Period),
        }
    }
}

#[derive(Debug)]
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(7_000_000)
    }
}

impl Random for Fixed {
    fn bytes(&self) -> [u8; 16] {
        [255; 16]
    }
}

/// A ticker under test.
struct Run {
    tasks: Tasks,
    handle: TickerHandle,
    ticks: Arc<Mutex<Vec<u64>>>,
    wake: Arc<Notify>,
    figures: Registry,
}

impl Run {
    fn start(acts: &[Act]) -> Self {
        let (tasks, figures) = (Tasks::default(), Registry::new());
        let meters = TickerMeters::new(&figures).unwrap();
        let (ticks, wake) = (Arc::default(), Arc::<Notify>::default());
        let acts = acts.iter().rev().copied().collect();
        let ticker = ScriptedTicker { acts, began: Instant::now(), ticks: Arc::clone(&ticks), wake: Arc::clone(&wake) };
        let around = Surroundings { clock: Arc::new(Fixed), random: Arc::new(Fixed), meters };
        let handle = start(&tasks, around, ticker);
        Self { tasks, handle, ticks, wake, figures }
    }

    /// The seconds at which it ticked.
    fn ticked(&self) -> Vec<u64> {
        self.ticks.lock().unwrap().clone()
    }
}

#[track_caller]
fn check(ticked: &Run, expect: &[u64]) {
    assert_eq!(ticked.ticked(), expect);
}

#[tokio::test(start_paused = true)]
async fn it_ticks_after_its_period_at_once_or_when_it_says() {
    let later = |pause| Act::Succeeds(Next::After(pause));
    let run = Run::start(&[
        Act::Succeeds(Next::Period),
        Act::Succeeds(Next::AtOnce),
        later(Duration::from_secs(7)),
        later(Duration::from_hours(9)),
    ]);
    sleep(Duration::from_secs(140)).await;
    check(&run, &[5, 65, 65, 72, 132]);
}

#[tokio::test(start_paused = true)]
async fn whatever_way_a_tick_fails_the_ticker_backs_off_and_goes_on() {
    let run = Run::start(&[Act::Fails, Act::Panics, Act::Fails, Act::Hangs, Act::Succeeds(Next::AtOnce), Act::Fails]);
    run.wake.notify_one();
    sleep(Duration::from_secs(28)).await;
    // 5, failed; + 1, panicked; + 2, failed; + 3 (the longest pause), hung for 10; + 3, and at once: failed; + 1.
    check(&run, &[5, 6, 8, 11, 24, 24, 25]);
    let text = TextEncoder::new().encode_to_string(&run.figures.gather()).unwrap();
    for line in [
        "provost_ticker_failures_total{ticker=\"told\"} 5",
        "provost_ticker_last_success_seconds{ticker=\"told\"} 7",
        "provost_ticker_seconds_count{ticker=\"told\"} 7",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn woken_it_ticks_before_its_time_but_not_before_its_first() {
    let run = Run::start(&[]);
    run.wake.notify_one();
    sleep(Duration::from_secs(4)).await;
    check(&run, &[]);
    sleep(Duration::from_secs(2)).await;
    check(&run, &[5, 5]);
    run.wake.notify_one();
    sleep(Duration::from_secs(1)).await;
    check(&run, &[5, 5, 6]);
}

#[tokio::test(start_paused = true)]
async fn stopped_alone_or_with_the_engine_it_ticks_no_more() {
    let alone = Run::start(&[Act::Hangs]);
    sleep(Duration::from_secs(6)).await;
    let Run { handle, ticks, tasks, .. } = alone;
    handle.stop().await;
    sleep(10 * MINUTE).await;
    assert_eq!(*ticks.lock().unwrap(), [5]);
    assert!(tasks.wait(Duration::from_secs(1)).await.is_empty());

    let all = Run::start(&[]);
    sleep(Duration::from_secs(6)).await;
    all.tasks.stop();
    assert!(all.tasks.wait(Duration::from_secs(1)).await.is_empty());
    sleep(10 * MINUTE).await;
    check(&all, &[5]);
}

#[tokio::test(start_paused = true)]
async fn pauses_vary_by_their_share() {
    #[derive(Debug)]
    struct Varied(Arc<Mutex<Vec<u64>>>, Instant);

    #[async_trait]
    impl Ticker for Varied {
        fn settings(&self) -> TickerSettings {
            let backoff = Backoff::doubling(MINUTE, MINUTE);
            TickerSettings { name: "varied", first: MINUTE, period: MINUTE, jitter: 0.5, limit: MINUTE, backoff }
        }

        async fn tick(&mut self) -> Result<Next, TickFailure> {
            self.0.lock().unwrap().push(self.1.elapsed().as_secs());
            Ok(Next::Period)
        }
    }

    let (tasks, ticks) = (Tasks::default(), Arc::<Mutex<Vec<u64>>>::default());
    let around = Surroundings {
        clock: Arc::new(Fixed),
        random: Arc::new(Fixed),
        meters: TickerMeters::new(&Registry::new()).unwrap(),
    };
    let ticker = Varied(Arc::clone(&ticks), Instant::now());
    assert_eq!(ticker.settings().principal().to_string(), "ticker:varied");
    let handle = start(&tasks, around, ticker);
    sleep(Duration::from_secs(200)).await;
    handle.stop().await;
    assert_eq!(*ticks.lock().unwrap(), [90, 180]);
}
