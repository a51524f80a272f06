//! `provost serve` beside a shop, and callers with tokens.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::eventually::eventually;
use crate::shop::Shop;

/// Only how long a failing test takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// The tokens every daemon of the tests has: one per role, named after it.
pub const ROLES: [&str; 5] = ["intake", "viewer", "operator", "approver", "admin"];

/// An answer: status, headers that matter, body as JSON (`Null` when it is none).
#[derive(Debug, Clone)]
pub struct Answered {
    /// The status.
    pub status: StatusCode,
    /// `Content-Type`.
    pub content_type: String,
    /// `Retry-After`, if any.
    pub retry_after: Option<String>,
    /// The body.
    pub body: Value,
}

/// A token's secret for each role.
async fn minted(shop: &Shop) -> BTreeMap<&'static str, String> {
    let mut secrets = BTreeMap::new();
    for role in ROLES {
        let minted = shop.last(&["tokens", "create", role, "--role", role]).await;
        secrets.insert(role, minted["secret"].as_str().unwrap().to_owned());
    }
    secrets
}

/// The same command, after something that a shell does first.
fn through_shell(command: &Command, first: &str) -> Command {
    let command = command.as_std();
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{first}; exec \"$@\""), "sh"]).arg(command.get_program()).args(command.get_args());
    shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.get_current_dir().map(|folder| shell.current_dir(folder));
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    shell
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    /// The shop it cares for, and `provost` commands on the same configuration.
    pub shop: Shop,
    /// Where it listens.
    pub url: String,
    client: reqwest::Client,
    secrets: BTreeMap<&'static str, String>,
    /// Absent where somebody else runs the daemon.
    child: Option<Child>,
}

impl Daemon {
    /// Starts a shop, mints a token per role, and starts the daemon.
    pub async fn start(variant: &str) -> Self {
        Self::on(Shop::start(variant).await).await
    }

    /// Starts the daemon beside a shop.
    pub async fn on(shop: Shop) -> Self {
        let secrets = minted(&shop).await;
        Self::with(shop, secrets, "127.0.0.1:0").await
    }

    /// Starts the daemon beside a shop, with so many files that it may open.
    pub async fn with_files(shop: Shop, files: u32) -> Self {
        let secrets = minted(&shop).await;
        let mut command =
            through_shell(&shop.command(&["serve", "--listen", "127.0.0.1:0"]), &format!("ulimit -n {files}"));
        Self::spawned(shop, secrets, &mut command).await
    }

    /// Starts the daemon beside a shop, on a socket that it is handed as a service manager does.
    pub async fn with_socket(shop: Shop, socket: OwnedFd) -> Self {
        let secrets = minted(&shop).await;
        let handed = "exec 3<&0 </dev/null; LISTEN_FDS=1; LISTEN_PID=$$; export LISTEN_FDS LISTEN_PID";
        let mut command = through_shell(&shop.command(&["serve"]), handed);
        command.stdin(Stdio::from(socket));
        Self::spawned(shop, secrets, &mut command).await
    }

    async fn with(shop: Shop, secrets: BTreeMap<&'static str, String>, listen: &str) -> Self {
        let mut command = shop.command(&["serve", "--listen", listen]);
        Self::spawned(shop, secrets, &mut command).await
    }

    async fn spawned(shop: Shop, secrets: BTreeMap<&'static str, String>, command: &mut Command) -> Self {
        let log = std::fs::File::create(shop.path("daemon.log")).unwrap();
        let mut child =
            command.args(["--log-filter=info", "--log-format=json"]).stderr(Stdio::from(log)).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let Ok(said) = serde_json::from_str::<Value>(&line) else {
            panic!("the daemon said {line:?}\n{}", std::fs::read_to_string(shop.path("daemon.log")).unwrap());
        };
        let url = said["listening"].as_str().unwrap().to_owned();
        Self { child: Some(child), ..Self::at(shop, url, secrets) }
    }

    /// A daemon that somebody else runs: a secret per role.
    pub fn at(shop: Shop, url: String, secrets: BTreeMap<&'static str, String>) -> Self {
        Self { shop, url, client: provost_http::client(None).unwrap().build().unwrap(), secrets, child: None }
    }

    /// The secret of a role's token.
    pub fn secret(&self, role: &str) -> &str {
        &self.secrets[role]
    }

    /// Kills it and starts another on the same store.
    pub async fn crash(self) -> Self {
        let Fallen { shop, secrets, .. } = self.kill().await;
        Self::with(shop, secrets, "127.0.0.1:0").await
    }

    /// Kills it and leaves it so.
    pub async fn kill(mut self) -> Fallen {
        self.child.take().unwrap().kill().await.unwrap();
        Fallen { shop: self.shop, url: self.url, secrets: self.secrets }
    }

    /// Asks it to end.
    pub async fn terminate(&self) {
        let pid = self.child.as_ref().unwrap().id().unwrap().to_string();
        assert!(Command::new("kill").arg(pid).status().await.unwrap().success());
    }

    /// Asks it to end and waits; its exit code.
    pub async fn stop(mut self) -> (Shop, i32) {
        self.terminate().await;
        let mut child = self.child.take().unwrap();
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
        (self.shop, ended.code().unwrap_or(-1))
    }

    /// Waits until it ends by itself; its exit code.
    pub async fn ended(mut self) -> (Shop, i32) {
        let mut child = self.child.take().unwrap();
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
        (self.shop, ended.code().unwrap_or(-1))
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.shop.path("daemon.log")).unwrap_or_default()
    }

    /// A request as a role, or as nobody for `""`.
    pub fn request(&self, role: &str, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url));
        if role.is_empty() { request } else { request.bearer_auth(self.secret(role)) }
    }

    /// Sends a request and reads the answer.
    pub async fn ask(&self, role: &str, method: Method, path: &str, body: Option<Value>) -> Answered {
        let mut request = self.request(role, method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        answered(request.send().await.unwrap()).await
    }

    /// Reads as a viewer; the answer must be good.
    #[track_caller]
    pub fn get(&self, path: &str) -> impl Future<Output = Value> {
        let asked = self.request("viewer", Method::GET, path).send();
        let path = path.to_owned();
        async move {
            let answered = answered(asked.await.unwrap()).await;
            assert!(answered.status.is_success(), "{path}: {answered:?}");
            answered.body
        }
    }

    /// Opens a session for the shop's incident as an operator and returns its id.
    pub async fn open(&self) -> String {
        let body = serde_json::json!({"pack": "incident", "title": "checkout fails", "fields": {
            "summary": "checkout fails", "service": "shop", "environment": "production",
            "alert": {"name": "ShopErrors"}}});
        let opened = self.ask("operator", Method::POST, "/v1/sessions", Some(body)).await;
        assert_eq!(opened.status, StatusCode::CREATED, "{opened:?}");
        opened.body["session"].as_str().unwrap().to_owned()
    }

    /// Every item of a list, from all its pages.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut token) = (Vec::new(), String::new());
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{mark}page_size=500{token}")).await;
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next_page_token"].as_str() else { return items };
            token = format!("&page_token={next}");
        }
    }

    /// Waits until no delivery waits.
    pub async fn settled(&self) {
        let reached = eventually("every delivery to be worked on", PATIENCE, || async {
            self.get("/v1/deliveries?state=waiting").await["items"].as_array().unwrap().is_empty().then_some(())
        });
        assert!(reached.await.is_ok(), "{}", self.log());
    }

    /// Waits until no message to the outside waits.
    pub async fn told(&self) {
        let reached = eventually("every message to be sent", PATIENCE, || async {
            self.get("/v1/outbox?state=waiting").await["items"].as_array().unwrap().is_empty().then_some(())
        });
        assert!(reached.await.is_ok(), "{}", self.log());
    }

    /// Waits until the session has this status.
    pub async fn until(&self, session: &str, status: &str) -> Value {
        let path = format!("/v1/sessions/{session}");
        let reached = eventually(status, PATIENCE, || async {
            let shown = self.get(&path).await;
            (shown["status"] == status).then_some(shown)
        });
        match reached.await {
            Ok(shown) => shown,
            Err(error) => panic!("{error:?}: {:#}\n{}", self.get(&path).await, self.log()),
        }
    }
}

/// What a killed daemon leaves.
#[derive(Debug)]
pub struct Fallen {
    /// The shop, and `provost` commands on the same store.
    pub shop: Shop,
    url: String,
    secrets: BTreeMap<&'static str, String>,
}

impl Fallen {
    /// Starts another where the first one listened.
    pub async fn rise(self) -> Daemon {
        let listen = self.url.trim_start_matches("http://");
        Daemon::with(self.shop, self.secrets, listen).await
    }
}

/// Reads an answer.
pub async fn answered(response: Response) -> Answered {
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let (status, content_type, retry_after) = (response.status(), header("content-type"), header("retry-after"));
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answered { status, content_type: content_type.unwrap_or_default(), retry_after, body }
}
