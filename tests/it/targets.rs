//! Two sessions on one target: never two acts side by side, never one on a target that another session changed without a new
//! answer.

use provost_domain::claims::ClaimTarget;
use provost_domain::command::{Answer, Ask};
use provost_domain::event::{EventBody, Settlement};
use provost_domain::ids::SessionId;
use provost_domain::pack::Pack;
use provost_domain::refusal::ToolRefusal;
use provost_tests::house::House;
use provost_tests::pack;
use provost_tests::tools::Behaviour;
use serde_json::{Value, json};

/// The test pack whose calls act on the session's service in its environment.
fn targeted() -> Pack {
    Pack { target: Some(ClaimTarget::of_fields(Some("environment"), "service")), ..pack::pack() }
}

fn act(n: u64) -> [(&'static str, Value); 1] {
    [("act__safe", json!({"n": n}))]
}

/// Opens a session whose agent acts once.
async fn acting(house: &House, environment: &str, n: u64) -> SessionId {
    let session = house.session(environment).await;
    house.model.finish("close", 0.9);
    house.model.calls(&act(n));
    session
}

async fn refusals(house: &House, session: SessionId) -> Vec<ToolRefusal> {
    let refusal = |body: &EventBody| match body {
        EventBody::ToolRefused(refused) => Some(refused.refusal.clone()),
        _ => None,
    };
    house.log(session).await.iter().filter_map(|event| refusal(&event.body)).collect()
}

#[tokio::test]
async fn the_second_session_is_told_and_may_act_once_the_first_is_done() {
    let house = House::with(targeted()).await;
    house.tools.safe.behave(Behaviour::Waits);
    let first = acting(&house, "staging", 1).await;
    house.tools.safe.arrived_times(1).await;
    let second = acting(&house, "staging", 2).await;
    // Two questions of the first session, and three of the second: the last one shows it the refusal.
    let asked = house.model.asked_times(5).await;
    let shown = serde_json::to_string(&asked.last().unwrap().messages).unwrap();
    assert!(shown.contains("target_busy") && shown.contains(&first.to_string()), "{shown}");
    let [ToolRefusal::TargetBusy { holder, .. }] = &refusals(&house, second).await[..] else { panic!("not told") };
    assert_eq!((*holder, house.tools.safe.arrived().len()), (first, 1));
    house.tools.safe.behave(Behaviour::Works(json!({"done": true})));
    // Once the first session asks on, its outcome is recorded.
    house.model.asked_times(6).await;
    house.model.calls(&act(3));
    house.tools.safe.arrived_times(2).await;
    for session in [first, second] {
        assert_eq!(house.problems(session).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn sessions_on_different_targets_do_not_wait_for_each_other() {
    let house = House::with(targeted()).await;
    house.tools.probed.behave(Behaviour::Waits);
    for (n, environment) in (1..).zip(["staging", "production"]) {
        house.session(environment).await;
        house.model.finish("close", 0.9);
        house.model.calls(&[("act__probe", json!({"n": n}))]);
        house.tools.probed.arrived_times(n).await;
    }
}

#[tokio::test]
async fn an_unknown_outcome_keeps_the_target_over_a_crash_and_after_the_end() {
    let house = House::with(targeted()).await;
    house.tools.safe.behave(Behaviour::Hangs);
    let first = acting(&house, "staging", 1).await;
    house.tools.safe.arrived_times(1).await;
    let house = house.crash().await;
    let doubt = house.until(first, "awaiting_input").await;
    house.ask(first, "operator", Ask::Stop { reason: "enough".to_owned() }).await.unwrap();
    let second = acting(&house, "staging", 2).await;
    house.model.asked_times(3).await;
    assert_eq!(refusals(&house, second).await.len(), 1);
    let call = doubt.unknown().keys().next().unwrap().clone();
    let settlement = Settlement::DidNotHappen { note: "looked".to_owned() };
    house.ask(first, "operator", Ask::Settle { call, settlement }).await.unwrap();
    house.tools.safe.behave(Behaviour::Works(json!({})));
    house.model.calls(&act(3));
    house.tools.safe.arrived_times(2).await;
}

/// Lets others go on so often.
async fn yields(times: usize) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn of_two_approvals_on_one_target_the_second_is_asked_anew_at_every_timing() {
    for timing in 0..10 {
        let house = House::with(targeted()).await;
        let (first, second) = (acting(&house, "production", 1).await, {
            house.model.asked_times(2).await;
            acting(&house, "production", 2).await
        });
        let mut asked = Vec::new();
        for session in [first, second] {
            asked.push((session, house.approvals(session, 1).await[0].id.clone()));
        }
        if timing % 2 == 1 {
            asked.reverse();
        }
        let answered = |place: usize, pause: usize| {
            let (house, (session, approval)) = (house.clone(), asked[place].clone());
            async move {
                yields(pause).await;
                house.answer(session, &approval, Answer::Approve).await.unwrap();
            }
        };
        tokio::join!(answered(0, 0), answered(1, timing * 3));
        house.tools.safe.arrived_times(1).await;
        let mut stale = Vec::new();
        for session in [first, second] {
            if house.count(session, "approval_stale").await > 0 {
                stale.push(session);
            }
        }
        assert_eq!((stale.len(), house.tools.safe.arrived().len()), (1, 1), "timing {timing}");
        let loser = stale[0];
        let winner = if loser == first { second } else { first };
        let mut hints = house.engine.hints();
        while house.count(winner, "tool_returned").await == 0 {
            drop(hints.recv().await);
        }
        // Asked once more where the winner's outcome came after the question.
        let (mut stale, mut before) = (1, 0);
        while stale > before {
            let anew = house.approvals(loser, 1).await[0].id.clone();
            house.answer(loser, &anew, Answer::Approve).await.unwrap();
            (stale, before) = (house.count(loser, "approval_stale").await, stale);
        }
        house.tools.safe.arrived_times(2).await;
    }
}

#[tokio::test]
async fn one_tool_acts_on_one_target_so_often_over_all_sessions() {
    let house = House::with(targeted()).await;
    for n in 1..=2 {
        acting(&house, "staging", n).await;
        house.tools.safe.arrived_times(usize::try_from(n).unwrap()).await;
        // First agent, closer, and the closer again with its result, which is left unanswered.
        house.model.asked_times(usize::try_from(n).unwrap() * 3).await;
        house.model.finish("default", 0.9);
    }
    let third = acting(&house, "staging", 3).await;
    house.model.asked_times(9).await;
    let [ToolRefusal::RepeatLimit { max: 2, .. }] = &refusals(&house, third).await[..] else { panic!("it acted") };
    assert_eq!(house.tools.safe.arrived().len(), 2);
}
