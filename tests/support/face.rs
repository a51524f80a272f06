//! The HTTP face over a house, in this process: for states that a scripted incident does not come to.

use std::sync::Arc;

use provost_domain::access::{AccessRole, Token};
use provost_domain::port::{Clock as _, Tokens as _};
use provost_engine::{Eraser, Retention, RetentionSettings, SystemClock};
use provost_server::{Intake, IntakeParts, IntakeSettings, Outgoing, OutgoingParts, Parts, Server};
use provost_store::SqliteStore;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::house::{House, person};
use crate::visitor::Visitor;

/// A house that answers over HTTP.
#[derive(Debug)]
pub struct Face {
    /// The house.
    pub house: House,
    /// Where it listens.
    pub url: String,
    store: SqliteStore,
    _folder: TempDir,
    _answering: JoinSet<()>,
}

impl Face {
    /// Begins to answer. The tokens lie in a store of their own.
    pub async fn over(house: House) -> Self {
        let folder = TempDir::new().unwrap();
        let store = SqliteStore::open(&folder.path().join("tokens.db")).await.unwrap();
        let parts = IntakeParts {
            engine: house.engine.clone(),
            deliveries: Arc::new(store.clone()),
            reads: Arc::new(store.reads()),
            clock: Arc::new(SystemClock),
        };
        let outgoing = OutgoingParts {
            outbox: Arc::new(store.clone()),
            reads: Arc::new(store.reads()),
            clock: Arc::new(SystemClock),
            give_up_after: std::time::Duration::MAX,
        };
        let nothing = IntakeSettings { sources: [].into(), waiting_max: 1 };
        // Nothing is erased here: the sessions lie in the house's own store.
        let eraser = Eraser::new(house.engine.clone(), Arc::new(store.clone()));
        let every = std::time::Duration::MAX;
        let settings = RetentionSettings { sessions: None, rows: [].into(), every };
        let retention = Retention::new(eraser, Arc::new(SystemClock), settings).unwrap();
        let server = Server::new(Parts {
            engine: house.engine.clone(),
            tokens: Arc::new(store.clone()),
            requests: Arc::new(store.clone()),
            clock: Arc::new(SystemClock),
            intake: Intake::start(parts, nothing).await.unwrap(),
            outgoing: Outgoing::new(outgoing).unwrap(),
            retention,
            login_key: [7; 32],
            data: folder.path().to_path_buf(),
        })
        .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut answering = JoinSet::new();
        answering.spawn(async move { server.serve(listener, CancellationToken::new()).await.unwrap() });
        Self { house, url, store, _folder: folder, _answering: answering }
    }

    /// Somebody of this role at the page.
    pub async fn visitor(&self, role: AccessRole) -> Visitor {
        Visitor::logged_in(&self.url, &self.secret(role).await).await
    }

    /// A token's secret.
    pub async fn secret(&self, role: AccessRole) -> String {
        let (token, secret) =
            Token::mint(role.as_str(), role, person("test"), SystemClock.now(), &provost_server::random()).unwrap();
        assert!(self.store.mint(&token).await.unwrap());
        secret.reveal().to_owned()
    }
}
