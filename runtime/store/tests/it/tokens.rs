//! Access tokens.

use provost_domain::access::{AccessRole, Token};
use provost_domain::ids::{Principal, TokenId};
use provost_domain::port::Tokens as _;
use provost_domain::time::Timestamp;
use provost_store::SqliteStore;

fn token(name: &str, seed: u8) -> Token {
    let at = Timestamp::from_micros(i64::from(seed));
    Token::mint(name, AccessRole::Operator, Principal::new("cli:root"), at, &[seed; 38]).unwrap().0
}

#[tokio::test]
async fn a_token_is_stored_used_and_revoked_for_good() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let (alice, bob) = (token("alice", 1), token("bob", 2));
    assert!(store.mint(&alice).await.unwrap() && store.mint(&bob).await.unwrap());
    assert!(!store.mint(&token("alice", 3)).await.unwrap(), "one token in force per name");
    assert_eq!(store.token(&alice.id).await.unwrap(), Some(alice.clone()));
    assert_eq!(store.token(&TokenId::new("none")).await.unwrap(), None);

    store.used(&alice.id, Timestamp::from_micros(9)).await.unwrap();
    store.used(&alice.id, Timestamp::from_micros(5)).await.unwrap();
    let used = Timestamp::from_micros(9);
    assert_eq!(store.token(&alice.id).await.unwrap().unwrap().used_at, Some(used), "a clock set back changes nothing");

    let at = Timestamp::from_micros(10);
    assert!(store.revoke(&alice.id, at).await.unwrap());
    assert!(!store.revoke(&alice.id, at).await.unwrap(), "there is none in force any more");
    assert!(store.mint(&token("alice", 4)).await.unwrap(), "the name is free again");
    store.close().await;

    let store = SqliteStore::open(&path).await.unwrap();
    let all = store.tokens().await.unwrap();
    let seen: Vec<_> = all.iter().map(|token| (token.name.as_str(), token.revoked_at)).collect();
    assert_eq!(seen, [("alice", None), ("bob", None), ("alice", Some(at))]);
}
