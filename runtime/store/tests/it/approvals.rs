//! The projection of approvals.

use provost_domain::event::ApprovalState;
use provost_domain::ids::{ApprovalId, CallId, Digest, SessionId, ToolName};
use provost_domain::port::{Append, ApprovalChange, ApprovalFilter, ApprovalOrder, ApprovalRow, StoreError};
use provost_domain::principal::Principal;
use serde_json::json;

use crate::support::{Driven, Subject, at, id};

on_every_store!(
    a_decided_approval_never_changes,
    of_two_decisions_at_once_the_first_stands,
    one_that_waits_expires_later,
    an_edit_puts_its_arguments_in_place,
    another_session_cannot_decide_it,
    asking_again_changes_nothing,
    approvals_are_listed_in_the_order_asked_for,
    an_unknown_approval_is_missing,
);

/// A pending row.
pub(crate) fn asked(session: SessionId, name: &str) -> ApprovalRow {
    ApprovalRow {
        id: ApprovalId::new(name),
        session,
        call: CallId::new("1.1.0"),
        tool: ToolName::new("a:b"),
        args: json!({ "x": 1 }),
        args_hash: Digest::of(b"x"),
        policy_digest: Digest::of(b"p"),
        reason: "high_risk_tool".to_owned(),
        state: ApprovalState::Pending,
        decided_by: None,
        requested_at: at(2),
        expires_at: at(9),
        decided_at: None,
    }
}

fn ask(row: ApprovalRow) -> ApprovalChange {
    ApprovalChange::Asked(Box::new(row))
}

fn decide(name: &str, state: ApprovalState) -> ApprovalChange {
    let by = Some(Principal::user("a"));
    ApprovalChange::Decided { id: ApprovalId::new(name), state, by, edited: None, at: at(5) }
}

async fn change(driven: &mut Driven, approvals: Vec<ApprovalChange>) {
    let append = Append { approvals, ..driven.next(1) };
    driven.write(append).await.unwrap();
}

async fn a_decided_approval_never_changes(subject: Subject) {
    let mut driven = subject.session(1).await;
    for step in [ask(asked(id(1), "a")), decide("a", ApprovalState::Rejected), decide("a", ApprovalState::Approved)] {
        change(&mut driven, vec![step]).await;
    }
    let expect = ApprovalRow {
        state: ApprovalState::Rejected,
        decided_by: Some(Principal::user("a")),
        decided_at: Some(at(5)),
        ..asked(id(1), "a")
    };
    let subject = subject.reopened().await;
    assert_eq!(subject.store.reads.sessions.approval(&"a".into()).await, Ok(expect));
}

async fn of_two_decisions_at_once_the_first_stands(subject: Subject) {
    let mut driven = subject.session(1).await;
    let all = vec![ask(asked(id(1), "a")), decide("a", ApprovalState::Rejected), decide("a", ApprovalState::Approved)];
    change(&mut driven, all).await;
    assert_eq!(subject.store.reads.sessions.approval(&"a".into()).await.unwrap().state, ApprovalState::Rejected);
}

/// Red if a decided row could change, or the earlier of two times stood.
async fn one_that_waits_expires_later(subject: Subject) {
    let mut driven = subject.session(1).await;
    let later = |name: &str, seconds| ApprovalChange::Extended { id: name.into(), expires_at: at(seconds) };
    change(&mut driven, vec![ask(asked(id(1), "a")), ask(asked(id(1), "b"))]).await;
    change(&mut driven, vec![later("a", 20), later("a", 30), decide("b", ApprovalState::Rejected)]).await;
    change(&mut driven, vec![later("b", 30)]).await;
    let subject = subject.reopened().await;
    let expires = async |name: &str| subject.store.reads.sessions.approval(&name.into()).await.unwrap().expires_at;
    assert_eq!((expires("a").await, expires("b").await), (at(30), at(9)));
}

async fn an_edit_puts_its_arguments_in_place(subject: Subject) {
    let mut driven = subject.session(1).await;
    change(&mut driven, vec![ask(asked(id(1), "a"))]).await;
    let edited = Some((json!({ "x": 2 }), Digest::of(b"y")));
    let decided = ApprovalChange::Decided { id: "a".into(), state: ApprovalState::Edited, by: None, edited, at: at(5) };
    change(&mut driven, vec![decided]).await;
    let row = subject.store.reads.sessions.approval(&"a".into()).await.unwrap();
    assert_eq!((row.args, row.args_hash, row.state.as_str()), (json!({ "x": 2 }), Digest::of(b"y"), "edited"));
    assert_eq!((row.decided_by, row.decided_at), (None, Some(at(5))));
}

async fn another_session_cannot_decide_it(subject: Subject) {
    let mut driven = subject.session(1).await;
    change(&mut driven, vec![ask(asked(id(1), "a"))]).await;
    let mut other = subject.session(2).await;
    change(&mut other, vec![decide("a", ApprovalState::Approved)]).await;
    assert_eq!(subject.store.reads.sessions.approval(&"a".into()).await, Ok(asked(id(1), "a")));
}

async fn asking_again_changes_nothing(subject: Subject) {
    let mut driven = subject.session(1).await;
    change(&mut driven, vec![ask(asked(id(1), "a")), decide("a", ApprovalState::Approved)]).await;
    change(&mut driven, vec![ask(asked(id(1), "a"))]).await;
    assert_eq!(subject.store.reads.sessions.approval(&"a".into()).await.unwrap().state, ApprovalState::Approved);
}

async fn approvals_are_listed_in_the_order_asked_for(subject: Subject) {
    for (n, name) in [(1, "a"), (2, "b"), (1, "c")] {
        let mut driven = match subject.store.reads.sessions.session(id(n)).await {
            Ok(_) => Driven::take(&subject.store, n, "me").await,
            Err(_) => subject.session(n).await,
        };
        let row = ApprovalRow { requested_at: at(name.bytes().map(i64::from).sum()), ..asked(id(n), name) };
        change(&mut driven, vec![ask(row)]).await;
        if name == "a" {
            change(&mut driven, vec![decide("a", ApprovalState::Rejected)]).await;
        }
    }
    let list = async |session, pending_only, limit| -> String {
        let filter = ApprovalFilter { session, pending_only, limit, ..ApprovalFilter::default() };
        let rows = subject.store.reads.sessions.approvals(&filter).await.unwrap();
        rows.iter().map(|row| row.id.as_str()).collect()
    };
    assert_eq!(list(None, false, 9).await, "cba");
    assert_eq!(list(None, false, 2).await, "cb");
    assert_eq!(list(None, true, 9).await, "cb");
    assert_eq!(list(Some(id(1)), false, 9).await, "ca");
    assert_eq!(list(Some(id(1)), true, 9).await, "c");
    assert_eq!(list(Some(id(3)), false, 9).await, "");
    let oldest = async |pending_only, limit| -> String {
        let filter = ApprovalFilter { session: None, pending_only, limit, order: ApprovalOrder::OldestFirst };
        let rows = subject.store.reads.sessions.approvals(&filter).await.unwrap();
        rows.iter().map(|row| row.id.as_str()).collect()
    };
    assert_eq!(oldest(false, 9).await, "abc");
    assert_eq!(oldest(true, 1).await, "b");
}

async fn an_unknown_approval_is_missing(subject: Subject) {
    let error = subject.store.reads.sessions.approval(&"nope".into()).await.unwrap_err();
    assert_eq!(error, StoreError::Missing { what: "approval", id: "nope".to_owned() });
}
