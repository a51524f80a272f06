//! The lock registry fails fast.

use provost_domain::command::{Answer, Ask};
use provost_domain::ids::ApprovalId;
use provost_domain::refusal::Refusal;
use provost_engine::EngineError;
use provost_tests::house::House;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_continues_one_proceeds_and_63_are_told_who_is_busy() {
    let house = House::open().await;
    let session = house.session_as("staging", false).await;
    let mut asks = JoinSet::new();
    for _ in 0..64 {
        let house = house.clone();
        asks.spawn(async move { house.ask(session, "many", Ask::Continue).await });
    }
    let (mut proceeded, mut busy) = (0, 0);
    while let Some(result) = asks.join_next().await {
        match result.unwrap() {
            Ok(_) => proceeded += 1,
            Err(EngineError::Busy(error)) => {
                assert_eq!((error.session, error.holder.as_str()), (session, "user:many"));
                busy += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((proceeded, busy), (1, 63));
    house.model.asked_times(1).await;
    let made_up = ApprovalId::new("apr_made_up");
    let answered = house.answer(session, &made_up, Answer::Approve).await;
    assert!(matches!(answered, Err(EngineError::Refused(Refusal::ApprovalUnknown { .. }))), "{answered:?}");
    house.ask(session, "boss", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    house.until(session, "stopped").await;
    house.engine.shutdown(std::time::Duration::from_secs(5)).await;
    assert!(house.engine.registry().is_empty());
}
