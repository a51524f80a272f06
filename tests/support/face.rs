//! The HTTP face over a house, in this process: for states that a scripted incident does not come to.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use provost_domain::access::{AccessRole, Token};
use provost_domain::port::{Clock as _, MintAnswer, Tokens as _};
use provost_engine::{Engine, Eraser, SystemClock};
use provost_mail::{Intake, IntakeParts, IntakeSettings, Outgoing, OutgoingParts};
use provost_server::{Parts, RequestRate, Server};
use provost_store::SqliteStore;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::house::{House, person};
use crate::visitor::Visitor;

/// The face of an engine, with everything it keeps in this store. Nothing is erased or pruned.
///
/// # Panics
/// It cannot be made.
pub async fn server(engine: &Engine, store: &SqliteStore, intake: IntakeSettings, data: &Path) -> Server {
    let metrics = Registry::new();
    let parts = IntakeParts {
        engine: engine.clone(),
        deliveries: Arc::new(store.clone()),
        reads: Arc::new(store.reads()),
        clock: Arc::new(SystemClock),
        metrics: metrics.clone(),
    };
    let outgoing = OutgoingParts {
        outbox: Arc::new(store.clone()),
        reads: Arc::new(store.reads()),
        clock: Arc::new(SystemClock),
        give_up_after: Duration::MAX,
        metrics: metrics.clone(),
    };
    let parts = Parts {
        engine: engine.clone(),
        tokens: Arc::new(store.clone()),
        requests: Arc::new(store.clone()),
        clock: Arc::new(SystemClock),
        intake: Intake::start(parts, intake).await.unwrap(),
        outgoing: Outgoing::new(outgoing).unwrap(),
        eraser: Eraser::new(engine.clone(), Arc::new(store.clone())),
        metrics,
        page_sessions: Arc::new(store.clone()),
        rate: RequestRate::default(),
        data: data.to_path_buf(),
    };
    Server::new(parts).unwrap()
}

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
        let nothing = IntakeSettings { formats: [].into(), waiting_max: 1, max_cases: 1 };
        let server = server(&house.engine, &store, nothing, folder.path()).await;
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
            Token::mint(role.as_str(), role, person("test"), SystemClock.now(), &provost_face::random()).unwrap();
        assert_eq!(self.store.mint(&token).await, Ok(MintAnswer::Stored));
        secret.reveal().to_owned()
    }
}
