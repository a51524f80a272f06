//! A limit ends the run and leaves nothing behind it: no approval that could still be given, no call, no timer.

use std::time::Duration;

use provost_domain::command::Answer;
use provost_domain::event::{ApprovalState, EventBody, Limit};
use provost_domain::ids::SessionId;
use provost_domain::pack::{Limits, Pack};
use provost_domain::port::{ApprovalFilter, ApprovalRow};
use provost_tests::eventually::eventually;
use provost_tests::house::House;
use provost_tests::model::{PATIENCE, reply};
use provost_tests::pack;
use serde_json::{Value, json};

use crate::approvals::refused;

/// How the gated call beside the limit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Approved,
    Rejected,
    Expired,
}

const ENDINGS: [Ending; 3] = [Ending::Approved, Ending::Rejected, Ending::Expired];

impl Ending {
    fn state(self) -> ApprovalState {
        match self {
            Self::Approved => ApprovalState::Approved,
            Self::Rejected => ApprovalState::Rejected,
            Self::Expired => ApprovalState::Expired,
        }
    }
}

/// A gated call, a call that runs beside it, and what else is given.
fn beside(more: &[(&'static str, Value)]) -> Vec<(&'static str, Value)> {
    [&[("act__unsafe", json!({"n": 1})), ("read__gauge", json!({}))], more].concat()
}

fn limited(limits: Limits, ending: Ending) -> Pack {
    let mut pack = pack::pack();
    pack.limits = limits;
    if ending == Ending::Expired {
        pack.gates.approval.expires = Duration::from_millis(50);
    }
    pack
}

/// A session whose closer says this, round by round, while each gated call ends in the given way.
async fn play(limits: Limits, ending: Ending, rounds: &[Vec<(&'static str, Value)>]) -> (House, SessionId) {
    let house = House::with(limited(limits, ending)).await;
    let session = house.session("staging").await;
    house.model.finish("close", 0.9);
    for (index, calls) in rounds.iter().enumerate() {
        house.model.asked_times(index + 2).await;
        house.model.calls(calls);
        let answer = match ending {
            Ending::Approved => Answer::Approve,
            Ending::Rejected => Answer::Reject { reason: "no".to_owned() },
            Ending::Expired => continue,
        };
        let [row] = &house.approvals(session, 1).await[..] else { panic!("not one approval") };
        house.answer(session, &row.id, answer).await.unwrap();
    }
    (house, session)
}

async fn approvals(house: &House, session: SessionId, pending_only: bool) -> Vec<ApprovalRow> {
    let filter = ApprovalFilter { session: Some(session), pending_only, limit: 100, ..ApprovalFilter::default() };
    house.reads().approvals(&filter).await.unwrap()
}

/// The limit was reached, and nothing of the session is pending: in the log, in the lists, in the engine, after a crash.
async fn nothing_is_left(house: House, session: SessionId, limit: Limit, ending: Ending) {
    let folded = house.until(session, "needs_review").await;
    let reached = house.log(session).await.into_iter().rev().find_map(|event| match event.body {
        EventBody::LimitReached(reached) => Some(reached.limit),
        _ => None,
    });
    assert_eq!(reached, Some(limit), "{}", folded.status_reason());
    assert!(folded.works().is_empty() && folded.claim().is_none() && folded.waits().is_empty(), "{folded:?}");
    assert_eq!(house.problems(session).await, Vec::<String>::new());

    assert_eq!(approvals(&house, session, true).await, []);
    let decided = approvals(&house, session, false).await;
    assert!(!decided.is_empty());
    let ran = if ending == Ending::Approved { decided.len() } else { 0 };
    for row in decided {
        assert_eq!(row.state, ending.state(), "{limit:?}");
        refused(house.answer(session, &row.id, Answer::Approve).await, "approval_already_decided");
    }

    let released = || async { house.engine.registry().is_empty().then_some(()) };
    eventually("the session to be released", PATIENCE, released).await.unwrap();
    let row = house.reads().session(session).await.unwrap();
    assert_eq!((row.next_run_at, row.owner.is_none()), (None, true), "{row:?}");
    assert_eq!(folded.next_timer(row.fence, folded.updated_at(), folded.updated_at()), None);

    let head = row.head_seq;
    let house = house.crash().await;
    // What a start finds to do is found before another session opened after it is asked for.
    house.session("staging").await;
    assert_eq!(house.model.asked_times(1).await.len(), 1);
    assert_eq!(house.reads().session(session).await.unwrap().head_seq, head);
    assert_eq!(house.tools.danger.arrived().len(), ran);
}

#[tokio::test]
async fn too_many_model_calls() {
    for ending in ENDINGS {
        let limits = Limits { model_calls_per_turn: 1, ..Limits::default() };
        let (house, session) = play(limits, ending, &[beside(&[])]).await;
        nothing_is_left(house, session, Limit::ModelCalls, ending).await;
    }
}

#[tokio::test]
async fn too_much_time() {
    for ending in ENDINGS {
        let limits = Limits { turn_wall: Duration::ZERO, ..Limits::default() };
        let (house, session) = play(limits, ending, &[beside(&[])]).await;
        nothing_is_left(house, session, Limit::TurnWall, ending).await;
    }
}

/// The stub says that each reply cost a millionth of a dollar.
#[tokio::test]
async fn too_much_money() {
    for ending in ENDINGS {
        let limits = Limits { session_cost_micro_usd: 1, ..Limits::default() };
        let (house, session) = play(limits, ending, &[beside(&[])]).await;
        nothing_is_left(house, session, Limit::SessionCost, ending).await;
    }
}

/// Red where one reply without a price made the cost of all others count for nothing.
#[tokio::test]
async fn what_has_no_price_does_not_hide_what_has_one() {
    let limits = Limits { session_cost_micro_usd: 4, ..Limits::default() };
    let house = House::with(Pack { limits, ..pack::pack() }).await;
    let session = house.session("staging").await;
    for cost in [None, Some(5)] {
        let mut reply = reply("", &[("read__gauge", json!({"n": cost}))]);
        reply.usage.cost_micro_usd = cost;
        house.model.answer(Ok(reply));
    }
    let folded = house.until(session, "needs_review").await;
    assert_eq!((folded.usage().cost_micro_usd, folded.priced_micro_usd()), (None, 5));
    assert_eq!(house.count(session, "limit_reached").await, 1);
}

/// What the closer's first question may take of tokens, measured in a session without a narrow limit.
async fn tokens_of_two_questions() -> u64 {
    let house = House::open().await;
    let session = house.session("staging").await;
    house.model.finish("close", 0.9);
    house.model.asked_times(2).await;
    let used = house.folded(session).await.usage().tokens();
    let reserved = house.log(session).await.into_iter().filter_map(|event| match event.body {
        EventBody::ModelRequested(asked) => Some(asked.reserved),
        _ => None,
    });
    used + reserved.last().unwrap()
}

#[tokio::test]
async fn too_many_tokens() {
    let enough = tokens_of_two_questions().await;
    for ending in ENDINGS {
        let limits = Limits { session_tokens: enough + 5, ..Limits::default() };
        let (house, session) = play(limits, ending, &[beside(&[])]).await;
        nothing_is_left(house, session, Limit::SessionTokens, ending).await;
    }
}

#[tokio::test]
async fn no_progress() {
    for ending in ENDINGS {
        let limits = Limits { no_progress: 2, ..Limits::default() };
        let (house, session) = play(limits, ending, &[beside(&[]), beside(&[])]).await;
        nothing_is_left(house, session, Limit::NoProgress, ending).await;
    }
}

#[tokio::test]
async fn too_many_assignments() {
    let onwards = json!({"content": "c", "confidence": 0.9, "rationale": "r", "signal": "watch"});
    for ending in ENDINGS {
        let limits = Limits { assignments_per_session: 2, ..Limits::default() };
        let (house, session) = play(limits, ending, &[beside(&[("finish_turn", onwards.clone())])]).await;
        nothing_is_left(house, session, Limit::Assignments, ending).await;
    }
}

/// At the limit of tool calls nobody is asked for what could not run any more.
#[tokio::test]
async fn too_many_tool_calls() {
    let limits = Limits { tool_calls_per_turn: 1, ..Limits::default() };
    let house = House::with(limited(limits, Ending::Approved)).await;
    let session = house.session("staging").await;
    house.model.finish("close", 0.9);
    house.model.calls(&[("read__gauge", json!({})), ("act__unsafe", json!({"n": 1}))]);
    house.model.asked_times(3).await;
    house.model.calls(&[("act__unsafe", json!({"n": 2}))]);
    let asked = house.model.asked_times(4).await;
    assert!(serde_json::to_string(&asked.last().unwrap().messages).unwrap().contains("limit_reached"));
    assert_eq!(approvals(&house, session, false).await, []);
    assert_eq!((house.count(session, "tool_refused").await, house.tools.danger.arrived().len()), (2, 0));
}
