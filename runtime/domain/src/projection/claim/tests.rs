use std::time::Duration;

use super::*;

fn session(n: u128) -> SessionId {
    SessionId::new(uuid::Uuid::from_u128(n))
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::default().plus(Duration::from_secs(seconds))
}

fn row(by: u128, taken: u64, released: Option<u64>) -> ClaimRow {
    ClaimRow {
        key: ClaimKey::of("production", "shop"),
        kind: ClaimKind::Act,
        session: session(by),
        call: CallId::new("1.1.0"),
        tool: ToolName::new("service:restart"),
        taken_at: at(taken),
        released_at: released.map(at),
        idle: false,
    }
}

fn take(asked_at: Option<u64>) -> TakeClaim {
    TakeClaim {
        key: ClaimKey::of("production", "shop"),
        kind: ClaimKind::Act,
        call: CallId::new("2.1.0"),
        tool: ToolName::new("service:restart"),
        repeat: Repeat { max: 2, within: Duration::from_secs(100) },
        asked_at: asked_at.map(at),
    }
}

fn met(rows: &[ClaimRow], asked_at: Option<u64>) -> Option<Obstacle> {
    obstacle(rows.iter(), session(1), &take(asked_at), at(1_000))
}

#[test]
fn a_key_that_is_held_is_not_taken_whoever_holds_it() {
    let busy =
        |by| Some(Obstacle::Taken { key: ClaimKey::of("production", "shop"), holder: session(by), since: at(900) });
    assert_eq!(met(&[], None), None);
    assert_eq!(met(&[row(2, 900, None)], None), busy(2));
    assert_eq!(met(&[row(1, 900, None)], None), busy(1));
    let elsewhere = ClaimRow { key: ClaimKey::of("staging", "shop"), ..row(2, 900, None) };
    assert_eq!(met(&[elsewhere], None), None);
    assert_eq!(met(&[row(2, 900, Some(950))], None), None);
}

#[test]
fn an_act_of_another_session_since_a_person_was_asked_is_told() {
    let acted = Some(Obstacle::Acted { key: ClaimKey::of("production", "shop"), by: session(2), at: at(950) });
    assert_eq!(met(&[row(2, 900, Some(950))], Some(940)), acted);
    assert_eq!(met(&[row(2, 900, Some(950))], Some(950)), None);
    assert_eq!(met(&[row(1, 900, Some(950))], Some(940)), None, "its own acts are known to it");
    assert_eq!(met(&[ClaimRow { idle: true, ..row(2, 900, Some(950)) }], Some(940)), None);
    let other = ClaimRow { tool: ToolName::new("service:rollback"), ..row(2, 900, Some(950)) };
    assert_eq!(met(&[other], Some(940)), acted, "whatever the tool was");
}

#[test]
fn a_tool_acts_on_a_target_so_often_within_a_time_and_no_more() {
    let spent = |taken: u64| Some(Obstacle::Repeated { free_at: at(taken + 100) });
    let (first, second) = (row(1, 920, Some(921)), row(2, 940, Some(941)));
    assert_eq!(met(std::slice::from_ref(&first), None), None);
    assert_eq!(met(&[first.clone(), second.clone()], None), spent(920));
    assert_eq!(met(&[second.clone(), first.clone()], None), spent(920));
    assert_eq!(met(&[row(1, 900, Some(901)), second.clone()], None), None, "the older one is long enough ago");
    let other = ClaimRow { tool: ToolName::new("service:rollback"), ..first.clone() };
    assert_eq!(met(&[other, second.clone()], None), None, "another tool");
    let idle = ClaimRow { idle: true, ..first.clone() };
    assert_eq!(met(&[idle, second.clone()], None), None, "what surely did nothing does not count");
    assert_eq!(met(&[first, second, row(2, 960, Some(961))], None), spent(940));
}
