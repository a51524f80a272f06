//! The HTTP face of a subject, listening on loopback.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use provost_domain::access::{AccessRole, Token};
use provost_domain::port::{Clock as _, MintAnswer, Tokens as _};
use provost_domain::principal::Principal;
use provost_engine::SystemClock;
use provost_mail::{DeliveryFormat, FormatSettings, IntakeSettings};
use provost_server::Server;
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
            Token::mint("bench", role, Principal::user("bench"), SystemClock.now(), &provost_face::random())?;
        ensure!(store.mint(&token).await? == MintAnswer::Stored, "the token's name is free");
        let server = server(subject, store).await;
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

async fn server(subject: &Subject, store: &SqliteStore) -> Server {
    let source = FormatSettings::of_pack("w1");
    let settings =
        IntakeSettings { formats: [(DeliveryFormat::Alertmanager, source)].into(), waiting_max: 10_000, max_cases: 20 };
    provost_tests::face::server(&subject.engine, store, settings, subject.folder.path()).await
}
