//! The HTTP face of a subject, listening on loopback.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use provost_domain::access::{AccessRole, Token};
use provost_domain::ids::Principal;
use provost_domain::port::{Clock as _, Tokens as _};
use provost_engine::{Eraser, Retention, RetentionSettings, SystemClock};
use provost_server::{
    Intake, IntakeParts, IntakeSettings, Outgoing, OutgoingParts, Parts, Server, Source, SourceSettings,
};
use provost_store::SqliteStore;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::run::Subject;

pub(crate) struct Face {
    pub(crate) address: SocketAddr,
    /// What lets a caller in.
    pub(crate) secret: String,
    stop: CancellationToken,
    serving: JoinSet<std::io::Result<()>>,
}

impl Face {
    /// Serves a subject on a free port, with a token of this role.
    pub(crate) async fn open(subject: &Subject, role: AccessRole) -> Result<Self> {
        let store = subject.sqlite()?;
        let (token, secret) =
            Token::mint("bench", role, Principal::new("bench"), SystemClock.now(), &provost_server::random())?;
        ensure!(store.mint(&token).await?, "the token's name is free");
        let server = server(subject, store).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (stop, mut serving) = (CancellationToken::new(), JoinSet::new());
        let stopped = stop.clone();
        serving.spawn(async move { server.serve(listener, stopped).await });
        Ok(Self { address, secret: secret.reveal().to_owned(), stop, serving })
    }

    /// Ends when the last caller has its answer.
    pub(crate) async fn close(mut self) -> Result<()> {
        self.stop.cancel();
        self.serving.join_next().await.context("it serves")???;
        Ok(())
    }
}

async fn server(subject: &Subject, store: &SqliteStore) -> Result<Server> {
    let parts = IntakeParts {
        engine: subject.engine.clone(),
        deliveries: Arc::new(store.clone()),
        reads: Arc::new(store.reads()),
        clock: Arc::new(SystemClock),
    };
    let outgoing = OutgoingParts {
        outbox: Arc::new(store.clone()),
        reads: Arc::new(store.reads()),
        clock: Arc::new(SystemClock),
        give_up_after: Duration::MAX,
    };
    let source = SourceSettings { pack: "w1".to_owned(), keys: [].into() };
    let settings = IntakeSettings { sources: [(Source::Alertmanager, source)].into(), waiting_max: 10_000 };
    let eraser = Eraser::new(subject.engine.clone(), Arc::new(store.clone()));
    let kept = RetentionSettings { sessions: None, rows: [].into(), every: Duration::MAX };
    let server = Server::new(Parts {
        engine: subject.engine.clone(),
        tokens: Arc::new(store.clone()),
        requests: Arc::new(store.clone()),
        clock: Arc::new(SystemClock),
        intake: Intake::start(parts, settings).await?,
        outgoing: Outgoing::new(outgoing)?,
        retention: Retention::new(eraser, Arc::new(SystemClock), kept)?,
        login_key: [0; 32],
        data: subject.folder.path().to_path_buf(),
    })?;
    Ok(server)
}
