//! Exhaustive crash points: whatever goes wrong at whichever crossing of a port, and whenever the process dies of it, the
//! session recovers as the class of each of its calls says.
//!
//! The session holds a gate with an edit, calls of every class side by side, probe calls whose answer or request is lost, a
//! failure of the model and the retry it leads to, and a stop during the last calls.

use std::collections::BTreeSet;
use std::sync::Arc;

use provost_domain::command::Answer;
use provost_domain::pack::Pack;
use provost_domain::port::StoreError;
use provost_engine::EngineError;
use provost_store::MemoryStore;
use provost_tests::crash::around::Around;
use provost_tests::crash::case::Run;
use provost_tests::crash::points::{Death, Fault, Points, Strike};
use provost_tests::crash::ports::Pointed;
use provost_tests::crash::script::Script;
use provost_tests::eventually::eventually;
use provost_tests::house::House;
use provost_tests::model::PATIENCE;

/// The pack of the tests, with failures of the model retried.
fn pack() -> Arc<Pack> {
    let mut pack = provost_tests::pack::pack();
    pack.retry.transient = true;
    pack.retry.max = 8;
    Arc::new(pack)
}

const AT_ONCE: [(Fault, Death); 2] = [(Fault::Before, Death::AtOnce), (Fault::After, Death::AtOnce)];
const SOON: [(Fault, Death); 4] = [
    (Fault::Before, Death::Soon),
    (Fault::After, Death::Soon),
    (Fault::Duplicate, Death::Soon),
    (Fault::Delay, Death::Soon),
];
const NEVER: [(Fault, Death); 4] = [
    (Fault::Before, Death::Never),
    (Fault::After, Death::Never),
    (Fault::Duplicate, Death::Never),
    (Fault::Delay, Death::Never),
];

/// What a network doubles on its way to a tool that is not safe to repeat is done twice whatever the runtime does.
fn possible(point: &str, fault: Fault) -> bool {
    let repeatable =
        !["act:unsafe", "act:safe", "act:probe"].iter().any(|tool| point.contains(&format!("{tool}.call")));
    fault != Fault::Duplicate || repeatable
}

/// Runs each point of the last process that the strikes `given` leave to itself, if it is one of `wanted`, in each way, and
/// returns the points.
fn exhaust(given: &[Vec<Strike>], ways: &[(Fault, Death)], wanted: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let pack = pack();
    let (last, before) = given.split_last().unwrap();
    let traced = Run::of(&pack, given.to_vec());
    assert_eq!(traced.problems(), Vec::<String>::new());
    let crossed = traced.points.crossed(before.len());
    let names: BTreeSet<_> = crossed.into_iter().filter(|at| wanted(at) && last.iter().all(|s| s.at != *at)).collect();
    let mut exercised = BTreeSet::new();
    for at in &names {
        for &(fault, death) in ways.iter().filter(|(fault, _)| possible(at, *fault)) {
            let strike = strike(at, fault, death);
            let struck = last.iter().cloned().chain([strike.clone()]).collect();
            let run = Run::of(&pack, [before, &[struck]].concat());
            let problems = run.problems();
            assert!(problems.is_empty(), "{strike:?}: {problems:#?}");
            exercised.extend(run.points.exercised(before.len()));
        }
    }
    exercised.retain(|at| last.iter().all(|strike| strike.at != *at));
    assert_eq!(exercised, names);
    names
}

fn strike(at: &str, fault: Fault, death: Death) -> Strike {
    Strike { at: at.to_owned(), fault, death }
}

/// One session from its beginning.
fn whole(ways: &[(Fault, Death)]) {
    let points = exhaust(&[vec![]], ways, |_| true);
    let methods: BTreeSet<&str> = points.iter().filter_map(|point| point.split('#').next()).collect();
    let all = "store.allot store.create store.take_over store.append store.park commands.submit commands.inbox \
        commands.runnable reads.content model.ask tool.read:gauge.call tool.act:idempotent.call tool.act:probe.call \
        tool.act:probe.probe tool.act:safe.call tool.act:unsafe.call";
    assert_eq!(methods, all.split_whitespace().collect(), "the session is not whole any more: {points:#?}");
}

/// The same session, taken up again by a second process after the first died with four calls under way.
fn taken_up(ways: &[(Fault, Death)]) {
    let died = strike("tool.act:safe.call#1", Fault::After, Death::AtOnce);
    let points = exhaust(&[vec![died], vec![]], ways, |_| true);
    for point in ["store.take_over#1", "tool.act:probe.probe#1", "tool.act:idempotent.call#1"] {
        assert!(points.contains(point), "{point} is not one of {points:#?}");
    }
}

#[test]
fn a_session_whose_process_dies_at_any_point_recovers() {
    whole(&AT_ONCE);
}

#[test]
fn a_session_whose_process_dies_soon_after_any_fault_recovers() {
    whole(&SOON);
}

#[test]
fn a_session_outlives_any_fault() {
    whole(&NEVER);
}

#[test]
fn a_process_may_die_at_any_point_of_a_recovery() {
    taken_up(&AT_ONCE);
}

#[test]
fn a_process_may_die_soon_after_any_fault_of_a_recovery() {
    taken_up(&SOON);
}

#[test]
fn a_recovery_outlives_any_fault() {
    taken_up(&NEVER);
}

/// A caller looks for itself what became of its command where that takes long: the one method that the others do not call.
#[test]
fn a_caller_that_looks_for_itself_outlives_any_fault() {
    let late = strike("store.take_over#1", Fault::Delay, Death::Never);
    let ways = [&AT_ONCE[..], &SOON, &NEVER].concat();
    let points = exhaust(&[vec![late]], &ways, |at| at.starts_with("commands.outcome"));
    assert!(points.contains("commands.outcome#1"), "{points:#?}");
}

/// Runs each point around a session in each way.
fn around(ways: &[(Fault, Death)]) {
    let traced = Around::of(vec![vec![]]);
    assert_eq!(traced.problems(), Vec::<String>::new());
    let names: BTreeSet<_> = traced.points.crossed(0).into_iter().collect();
    let methods: BTreeSet<&str> = names.iter().filter_map(|point| point.split('#').next()).collect();
    let all = "shelf.keep deliveries.deliver deliveries.plan deliveries.finish outbox.enqueue outbox.tried requests.claim \
        requests.answer erasure.erase erasure.scrub";
    assert_eq!(methods, all.split_whitespace().collect(), "it is not whole any more: {names:#?}");
    let mut exercised = BTreeSet::new();
    for at in &names {
        for &(fault, death) in ways {
            let strike = strike(at, fault, death);
            let run = Around::of(vec![vec![strike.clone()]]);
            let problems = run.problems();
            assert!(problems.is_empty(), "{strike:?}: {problems:#?}");
            exercised.extend(run.points.exercised(0));
        }
    }
    assert_eq!(exercised, names);
}

#[test]
fn what_lies_around_a_session_recovers_wherever_the_process_dies() {
    around(&AT_ONCE);
}

#[test]
fn what_lies_around_a_session_recovers_where_the_process_dies_soon_after_a_fault() {
    around(&[(Fault::Before, Death::Soon), (Fault::After, Death::Soon), (Fault::Duplicate, Death::Soon)]);
}

/// Red without `Engine::undamaged`: the caller would hear that the command is applied later.
#[tokio::test]
async fn a_damaged_session_is_said_to_be_so() {
    let points = Arc::new(Points::new(vec![vec![strike("store.take_over#1", Fault::Damaged, Death::Never)]]));
    points.begin();
    let store = Arc::new(Pointed::new(Arc::new(MemoryStore::new()), &points));
    let house = House::facing_on(store as _, provost_tests::pack::pack(), Arc::new(Script::default())).await;
    let session = house.session("staging").await;
    let approval = house.approvals(session, 1).await.remove(0).id;
    let parked = || std::future::ready(house.engine.registry().is_empty().then_some(()));
    eventually("parking", PATIENCE, parked).await.unwrap();
    for _ in 0..2 {
        let answered = house.answer(session, &approval, Answer::Approve).await;
        assert!(matches!(answered, Err(EngineError::Store(StoreError::Damaged { .. }))), "{answered:?}");
    }
    assert!(house.tools.danger.arrived().is_empty());
}
