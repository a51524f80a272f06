//! The lock registry fails fast.

use provost_domain::command::{Answer, Ask, Command};
use provost_domain::decide::Accepted;
use provost_domain::ids::{ApprovalId, CmdId, SessionId};
use provost_domain::refusal::Refusal;
use provost_engine::EngineError;
use provost_tests::house::{House, person};
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

/// Red where a command that starts work is decided again each time it is sent, as it is after a crash in mid-answer.
#[tokio::test]
async fn what_starts_work_is_applied_once_under_its_id_also_across_a_crash() {
    let house = House::open().await;
    let session = house.session_as("staging", false).await;
    let start = || (CmdId::new("start-1"), Command { by: person("asker"), if_version: None, ask: Ask::Start });
    let first = sent(&house, session, start()).await;
    house.model.asked_times(1).await;
    assert_eq!(sent(&house, session, start()).await, first, "busy with itself is no refusal");
    let house = house.crash().await;
    house.model.asked_times(1).await;
    assert_eq!(sent(&house, session, start()).await, first);
    assert_eq!(house.count(session, "session_started").await, 1);

    let retry =
        || (CmdId::new("retry-1"), Command { by: person("asker"), if_version: None, ask: Ask::Retry { force: true } });
    house.model.finish("close", 0.9);
    house.model.finish("default", 0.9);
    house.until(session, "needs_review").await;
    let first = sent(&house, session, retry()).await;
    house.model.asked_times(3).await;
    let house = house.crash().await;
    house.model.asked_times(1).await;
    assert_eq!(sent(&house, session, retry()).await, first);
    assert_eq!(house.count(session, "retry_started").await, 1);
}

async fn sent(house: &House, session: SessionId, (id, command): (CmdId, Command)) -> Accepted {
    house.engine.command(session, &id, command).await.unwrap()
}
