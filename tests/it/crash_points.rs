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

/// Each way in which something goes wrong, and when the process dies of it.
const WAYS: [(Fault, Death); 10] = [
    (Fault::Before, Death::AtOnce),
    (Fault::Before, Death::Soon),
    (Fault::Before, Death::Never),
    (Fault::After, Death::AtOnce),
    (Fault::After, Death::Soon),
    (Fault::After, Death::Never),
    (Fault::Duplicate, Death::Soon),
    (Fault::Duplicate, Death::Never),
    (Fault::Delay, Death::Soon),
    (Fault::Delay, Death::Never),
];

/// What a network doubles on its way to a tool that is not safe to repeat is done twice whatever the runtime does.
fn possible(point: &str, fault: Fault) -> bool {
    let repeatable =
        !["act:unsafe", "act:safe", "act:probe"].iter().any(|tool| point.contains(&format!("{tool}.call")));
    fault != Fault::Duplicate || repeatable
}

/// Runs each point of the process after `before` in each way, and returns how many runs that were.
fn exhaust(before: &[Strike]) -> usize {
    let pack = pack();
    let traced = Run::of(&pack, before.to_vec());
    assert_eq!(traced.problems(), Vec::<String>::new());
    let names = traced.points.crossed(before.len());
    let (mut exercised, mut runs) = (traced.points.exercised(), 0);
    for at in &names {
        for (fault, death) in WAYS.into_iter().filter(|(fault, _)| possible(at, *fault)) {
            let strike = Strike { at: at.clone(), fault, death };
            let run = Run::of(&pack, [before, std::slice::from_ref(&strike)].concat());
            let problems = run.problems();
            assert!(problems.is_empty(), "{strike:?}: {problems:#?}");
            exercised.extend(run.points.exercised());
            runs += 1;
        }
    }
    let crossed: BTreeSet<String> = names.into_iter().chain(traced.points.exercised()).collect();
    assert_eq!(exercised, crossed);
    runs
}

#[test]
fn debug_trace() {
    let run = Run::of(&pack(), Vec::new());
    println!("{:#?}", run.points.crossed(0));
    assert_eq!(run.problems(), Vec::<String>::new());
}

#[test]
fn whatever_goes_wrong_at_any_point_the_session_recovers() {
    println!("{} runs", exhaust(&[]));
}

#[test]
fn whatever_goes_wrong_while_it_recovers_the_session_recovers() {
    let at = "tool.act:safe.call#1".to_owned();
    println!("{} runs", exhaust(&[Strike { at, fault: Fault::After, death: Death::AtOnce }]));
}

/// Red without `Engine::undamaged`: the caller would hear that the command is applied later.
#[tokio::test]
async fn a_damaged_session_is_said_to_be_so() {
    let at = "store.take_over#1".to_owned();
    let points = Arc::new(Points::new(vec![Strike { at, fault: Fault::Damaged, death: Death::Never }]));
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
