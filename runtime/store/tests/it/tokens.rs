//! Access tokens.

use provost_domain::access::{AccessRole, Token};
use provost_domain::ids::TokenId;
use provost_domain::port::{MintAnswer, RevokeAnswer};
use provost_domain::principal::Principal;
use provost_domain::time::Timestamp;

use crate::support::Subject;

on_every_store!(a_token_is_stored_used_and_revoked_for_good);

fn token(name: &str, seed: u8) -> Token {
    let at = Timestamp::from_micros(i64::from(seed));
    Token::mint(name, AccessRole::Operator, Principal::parse("cli:root"), at, &[seed; 38]).unwrap().0
}

async fn a_token_is_stored_used_and_revoked_for_good(subject: Subject) {
    let store = &subject.store.tokens;
    let (alice, bob) = (token("alice", 1), token("bob", 2));
    assert_eq!(store.mint(&alice).await, Ok(MintAnswer::Stored));
    assert_eq!(store.mint(&bob).await, Ok(MintAnswer::Stored));
    assert_eq!(store.mint(&token("alice", 3)).await, Ok(MintAnswer::NameTaken), "one token in force per name");
    assert_eq!(store.token(&alice.id).await.unwrap(), Some(alice.clone()));
    assert_eq!(store.token(&TokenId::new("none")).await.unwrap(), None);

    store.used(&alice.id, Timestamp::from_micros(9)).await.unwrap();
    store.used(&alice.id, Timestamp::from_micros(5)).await.unwrap();
    let used = Timestamp::from_micros(9);
    assert_eq!(store.token(&alice.id).await.unwrap().unwrap().used_at, Some(used), "a clock set back changes nothing");

    let at = Timestamp::from_micros(10);
    assert_eq!(store.revoke(&alice.id, at).await, Ok(RevokeAnswer::Revoked));
    assert_eq!(store.revoke(&alice.id, at).await, Ok(RevokeAnswer::NotInForce), "there is none in force any more");
    assert_eq!(store.mint(&token("alice", 4)).await, Ok(MintAnswer::Stored), "the name is free again");

    let subject = subject.reopened().await;
    let all = subject.store.reads.tokens.tokens().await.unwrap();
    let seen: Vec<_> = all.iter().map(|token| (token.name.as_str(), token.revoked_at)).collect();
    assert_eq!(seen, [("alice", None), ("bob", None), ("alice", Some(at))]);
}
