//! One suite for every store: what the engine relies on, in the order a session meets it. Then what only SQLite promises.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

/// Runs each test against every store, a fresh one each.
macro_rules! on_every_store {
    ($($name:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::Subject::memory().await).await;
            })*
        }
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::Subject::sqlite().await).await;
            })*
        }
    };
}

mod appends;
mod approvals;
mod attention;
mod beside;
mod claims;
mod creation;
mod deliveries;
mod erasure;
mod inbox;
mod leases;
mod links;
mod lists;
mod load;
mod outbox;
mod packs;
mod page_sessions;
mod parking;
mod pruning;
mod requests;
mod sequences;
mod sqlite;
mod support;
mod takeover;
mod tokens;
mod transfer;
