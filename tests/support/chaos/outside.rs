//! The witness as a process of its own, and the campaign's questions to it.

use std::collections::BTreeMap;
use std::process::Stdio;

use reqwest::{Client, Url};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::strike::Strike;
use super::witness::{Effect, Manner, Witness};
use crate::binary;

/// The argument under which the campaign's program is the witness instead.
const MODE: &str = "witness";

/// The running process; it ends with the handle, or with the process that holds it.
#[derive(Debug)]
pub(super) struct Outside {
    pub(super) url: String,
    /// Whether it can tell what did not happen.
    pub(super) sure: bool,
    client: Client,
    _process: Child,
}

impl Outside {
    /// Starts it. One that is never sure cannot tell what did not happen.
    pub(super) async fn start(sure: bool) -> Self {
        let mut command = Command::new(binary::example("chaos").unwrap());
        command.arg(MODE).args((!sure).then_some("--never-sure"));
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).await.unwrap();
        let client = provost_http::client(None).unwrap().build().unwrap();
        Self { url: url.trim().to_owned(), sure, client, _process: process }
    }

    /// Whether anything happened under a key.
    pub(super) async fn knows(&self, key: &str) -> bool {
        self.ask::<Option<Effect>>("effect", &[("key", key)]).await.is_some()
    }

    /// Every effect, by key.
    pub(super) async fn all(&self) -> BTreeMap<String, Effect> {
        self.ask("effects", &[]).await
    }

    /// Has it kill the daemon at the next call; with `None` no more.
    pub(super) async fn strike(&self, strike: Option<Strike>) {
        let told = self.client.post(format!("{}/strike", self.url)).json(&strike).send().await.unwrap();
        assert!(told.status().is_success(), "{told:?}");
    }

    async fn ask<T: DeserializeOwned>(&self, what: &str, query: &[(&str, &str)]) -> T {
        let url = Url::parse_with_params(&format!("{}/{what}", self.url), query).unwrap();
        self.client.get(url).send().await.unwrap().json().await.unwrap()
    }
}

/// Is the witness until standard input ends: says where it listens, and counts. On one thread, which the service relies on.
pub async fn witness(sure: bool, listening: impl FnOnce(&str)) {
    let witness = Witness::start(Manner { slow: true, sure }).await;
    listening(&witness.url);
    drop(tokio::io::stdin().read_to_end(&mut Vec::new()).await);
}
