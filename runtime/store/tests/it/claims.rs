//! The table of claims: of two takers exactly one wins, and what is taken stays so until its call's outcome is known.

use std::time::Duration;

use provost_domain::claims::{ClaimKey, ClaimKind, Repeat};
use provost_domain::ids::{CallId, ToolName};
use provost_domain::port::{Append, ClaimChanges, Obstacle, ReleaseClaim, StoreError, TakeClaim};
use provost_domain::status::Status;
use provost_domain::time::Timestamp;

use crate::support::{Driven, Subject, at, id};

on_every_store!(
    of_two_takers_exactly_one_wins,
    of_takers_in_one_batch_exactly_one_wins,
    an_append_that_cannot_take_writes_nothing,
    an_append_sent_again_takes_once,
    a_released_target_is_free,
    what_an_append_releases_it_may_take,
    a_takeover_keeps_the_claim,
    every_end_of_a_session_keeps_an_unknown_outcomes_claim,
    a_claim_survives_a_restart,
    a_fenced_owner_takes_nothing,
    acts_are_counted_over_all_sessions,
    an_act_since_a_person_was_asked_is_told,
);

fn shop() -> ClaimKey {
    ClaimKey::of("production", "shop")
}

pub(crate) fn take(call: &str) -> TakeClaim {
    TakeClaim {
        key: shop(),
        kind: ClaimKind::Act,
        call: CallId::new(call),
        tool: ToolName::new("a:b"),
        repeat: Repeat { max: 100, within: Duration::from_secs(1) },
        asked_at: None,
    }
}

fn release(call: &str) -> ReleaseClaim {
    ReleaseClaim { call: CallId::new(call), acted: true }
}

pub(crate) fn taking(driven: &Driven, take: TakeClaim) -> Append {
    Append { claims: ClaimChanges { take: vec![take], release: Vec::new() }, ..driven.next(1) }
}

fn releasing(driven: &Driven, release: ReleaseClaim) -> Append {
    Append { claims: ClaimChanges { take: Vec::new(), release: vec![release] }, ..driven.next(1) }
}

fn busy(call: &str, holder: u128, since: Timestamp) -> StoreError {
    let obstacle = Obstacle::Taken { key: shop(), holder: id(holder), since };
    StoreError::NotClaimed { call: CallId::new(call), obstacle }
}

async fn of_two_takers_exactly_one_wins(subject: Subject) {
    let (mut first, mut second) = (subject.session(1).await, subject.session(2).await);
    first.write(taking(&first, take("1.1.0"))).await.unwrap();
    assert_eq!(second.write(taking(&second, take("1.1.0"))).await, Err(busy("1.1.0", 1, at(2))));
    assert_eq!(first.write(taking(&first, take("1.1.1"))).await, Err(busy("1.1.1", 1, at(2))), "its own too");
    let other = TakeClaim { key: ClaimKey::of("staging", "shop"), ..take("1.1.0") };
    second.write(taking(&second, other)).await.unwrap();
    let holder = subject.store.reads.sessions.holder(&shop()).await.unwrap().unwrap();
    assert_eq!((holder.session, holder.call, holder.released_at), (id(1), CallId::new("1.1.0"), None));
}

async fn of_takers_in_one_batch_exactly_one_wins(subject: Subject) {
    let mut tasks = tokio::task::JoinSet::new();
    for n in 1..=16 {
        let mut driven = subject.session(n).await;
        tasks.spawn(async move { driven.write(taking(&driven, take("1.1.0"))).await });
    }
    let results = tasks.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let refused = results.iter().filter(|result| matches!(result, Err(StoreError::NotClaimed { .. }))).count();
    assert_eq!(refused, 15);
}

async fn an_append_that_cannot_take_writes_nothing(subject: Subject) {
    let (mut first, mut second) = (subject.session(1).await, subject.session(2).await);
    first.write(taking(&first, take("1.1.0"))).await.unwrap();
    second.write(taking(&second, take("1.1.0"))).await.unwrap_err();
    assert_eq!(second.records().await, vec![]);
    // It is still its owner's, at the same head.
    second.grow(1).await;
    assert_eq!(second.records().await.len(), 1);
}

async fn an_append_sent_again_takes_once(subject: Subject) {
    let mut driven = subject.session(1).await;
    let append = taking(&driven, take("1.1.0"));
    let again = driven.clone();
    driven.write(append.clone()).await.unwrap();
    again.clone().write(append).await.unwrap();
    driven.write(releasing(&driven, release("1.1.0"))).await.unwrap();
    assert_eq!(subject.store.reads.sessions.holder(&shop()).await.unwrap(), None);
}

async fn a_released_target_is_free(subject: Subject) {
    let (mut first, mut second) = (subject.session(1).await, subject.session(2).await);
    first.write(taking(&first, take("1.1.0"))).await.unwrap();
    // Another session's call of the same id is another call.
    second.write(releasing(&second, release("1.1.0"))).await.unwrap();
    second.write(taking(&second, take("1.1.1"))).await.unwrap_err();
    first.write(releasing(&first, release("1.1.0"))).await.unwrap();
    second.write(taking(&second, take("1.1.1"))).await.unwrap();
}

async fn what_an_append_releases_it_may_take(subject: Subject) {
    let mut driven = subject.session(1).await;
    driven.write(taking(&driven, take("1.1.0"))).await.unwrap();
    let claims = ClaimChanges { take: vec![take("1.1.1")], release: vec![release("1.1.0")] };
    driven.write(Append { claims, ..driven.next(1) }).await.unwrap();
    let two = ClaimChanges { take: vec![take("1.1.2"), take("1.1.3")], release: vec![release("1.1.1")] };
    let refused = driven.write(Append { claims: two, ..driven.next(1) }).await;
    assert_eq!(refused, Err(busy("1.1.3", 1, at(2))), "one append takes a key once");
    let holder = subject.store.reads.sessions.holder(&shop()).await.unwrap().unwrap();
    assert_eq!(holder.call, CallId::new("1.1.1"), "nothing of it was written");
}

async fn a_takeover_keeps_the_claim(subject: Subject) {
    let (mut first, mut second) = (subject.session(1).await, subject.session(2).await);
    first.write(taking(&first, take("1.1.0"))).await.unwrap();
    let mut young = Driven::take(&subject.store, 1, "other").await;
    second.write(taking(&second, take("1.1.0"))).await.unwrap_err();
    young.write(releasing(&young, release("1.1.0"))).await.unwrap();
    second.write(taking(&second, take("1.1.0"))).await.unwrap();
}

async fn every_end_of_a_session_keeps_an_unknown_outcomes_claim(subject: Subject) {
    let ends = [Status::Outcome("resolved".to_owned()), Status::Stopped, Status::NeedsReview, Status::Error];
    for (n, status) in (1..).zip(ends) {
        let mut driven = subject.session(n).await;
        driven.write(taking(&driven, take("1.1.0"))).await.unwrap();
        let end = Append { status, ended: true, release: true, ..driven.next(1) };
        driven.write(end).await.unwrap();
        let mut other = subject.session(100 + n).await;
        assert_eq!(other.write(taking(&other, take("1.1.0"))).await, Err(busy("1.1.0", n, at(2))));
        // Settling works after every end.
        let mut again = Driven::take(&subject.store, n, "me").await;
        again.write(releasing(&again, release("1.1.0"))).await.unwrap();
        other.write(taking(&other, take("1.1.0"))).await.unwrap();
        other.write(releasing(&other, release("1.1.0"))).await.unwrap();
    }
}

async fn a_claim_survives_a_restart(subject: Subject) {
    let mut first = subject.session(1).await;
    first.write(taking(&first, take("1.1.0"))).await.unwrap();
    drop(first);
    let subject = subject.reopened().await;
    let mut second = subject.session(2).await;
    assert_eq!(second.write(taking(&second, take("1.1.0"))).await, Err(busy("1.1.0", 1, at(2))));
}

async fn a_fenced_owner_takes_nothing(subject: Subject) {
    let mut old = subject.session(1).await;
    let mut young = Driven::take(&subject.store, 1, "other").await;
    assert_eq!(old.write(taking(&old, take("1.1.0"))).await, Err(StoreError::Fenced));
    young.write(taking(&young, take("1.1.0"))).await.unwrap();
}

async fn acts_are_counted_over_all_sessions(subject: Subject) {
    let repeat = Repeat { max: 2, within: Duration::from_secs(1) };
    for n in 1..=2 {
        let mut driven = subject.session(n).await;
        driven.write(taking(&driven, take("1.1.0"))).await.unwrap();
        driven.write(releasing(&driven, release("1.1.0"))).await.unwrap();
        let idle = driven.write(taking(&driven, take("1.1.1"))).await;
        idle.unwrap();
        let idle = ReleaseClaim { acted: false, ..release("1.1.1") };
        driven.write(releasing(&driven, idle)).await.unwrap();
    }
    let mut third = subject.session(3).await;
    let often = TakeClaim { repeat, ..take("1.1.0") };
    let spent = Obstacle::Repeated { free_at: at(2).plus(repeat.within) };
    let refused = third.write(taking(&third, often.clone())).await;
    assert_eq!(refused, Err(StoreError::NotClaimed { call: CallId::new("1.1.0"), obstacle: spent }));
    let other = TakeClaim { tool: ToolName::new("a:c"), ..often.clone() };
    third.write(taking(&third, other)).await.unwrap();
    third.write(releasing(&third, release("1.1.0"))).await.unwrap();
    let later = Append { at: at(1_000_003), ..taking(&third, often) };
    third.write(later).await.unwrap();
}

async fn an_act_since_a_person_was_asked_is_told(subject: Subject) {
    let (mut first, mut second) = (subject.session(1).await, subject.session(2).await);
    first.write(taking(&first, take("1.1.0"))).await.unwrap();
    first.write(Append { at: at(50), ..releasing(&first, release("1.1.0")) }).await.unwrap();
    let asked = |micros| TakeClaim { asked_at: Some(at(micros)), ..take("1.1.0") };
    let acted = Obstacle::Acted { key: shop(), by: id(1), at: at(50) };
    let refused = second.write(taking(&second, asked(49))).await;
    assert_eq!(refused, Err(StoreError::NotClaimed { call: CallId::new("1.1.0"), obstacle: acted }));
    second.write(taking(&second, asked(50))).await.unwrap();
    second.write(Append { at: at(60), ..releasing(&second, release("1.1.0")) }).await.unwrap();
    let own = TakeClaim { call: CallId::new("1.1.1"), ..asked(51) };
    second.write(taking(&second, own)).await.unwrap();
}
