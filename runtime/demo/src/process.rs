//! The shop as a child process, for whoever needs a faulty service beside it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use crate::variant::Variant;
use crate::witness::ShopWitness;

/// The hidden subcommand of the program that serves the shop.
const SUBCOMMAND: &str = "patient";

/// How long the child may take to listen; it takes milliseconds, but the machine may be busy.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// How long an answer of the shop may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);

/// Longest announcement read, in bytes: an address and a path.
const ANNOUNCEMENT_MAX: u64 = 16 * 1024;

/// The line the shop prints when it takes requests.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Listening {
    /// Base URL without a trailing slash.
    pub(crate) listening: String,
    /// The log file.
    pub(crate) log: PathBuf,
}

/// How to start a shop.
#[derive(Clone, Debug)]
pub struct ShopOptions {
    /// The program that has the subcommand `patient`; `None` for the running one.
    pub program: Option<PathBuf>,
    /// What is wrong with the shop.
    pub variant: Variant,
    /// The log file; its folder must exist.
    pub log: PathBuf,
    /// The witness file, if the counts are to outlive the shop.
    pub witness: Option<PathBuf>,
    /// How far back the shop's figures look.
    pub window: Duration,
}

/// A running shop; dropping it kills it. It also ends by itself when this process does, however that ends.
#[derive(Debug)]
pub struct ShopProcess {
    listening: Listening,
    client: reqwest::Client,
    /// Holds the pipe the shop watches, and kills on drop.
    _child: Child,
}

impl ShopProcess {
    /// Starts a shop and returns once it takes requests.
    pub async fn spawn(options: ShopOptions) -> anyhow::Result<Self> {
        let mut child = command(&options)?
            .spawn()
            .context("failed to start the shop: check that this program's file still exists and can be run")?;
        let stdout = child.stdout.take().context("failed to read from the shop")?;
        let listening = tokio::time::timeout(START_DEADLINE, announcement(stdout))
            .await
            .context("the shop did not listen in time: try again when the machine is less busy")??;
        let client = provost_http::client(None)?.timeout(ANSWER_DEADLINE).build()?;
        Ok(Self { listening, client, _child: child })
    }

    /// Where it listens, such as `http://127.0.0.1:40123`, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.listening.listening
    }

    /// What the shop itself counted so far.
    pub async fn witness(&self) -> anyhow::Result<ShopWitness> {
        let url = format!("{}/admin/witness", self.base_url());
        let asked = self.client.get(url).send().await;
        let answer = asked.and_then(reqwest::Response::error_for_status);
        let answer = answer.context("failed to ask the shop for its witness: it may have ended")?;
        answer.json().await.context("failed to read the shop's witness")
    }
}

fn command(options: &ShopOptions) -> anyhow::Result<Command> {
    let program = match &options.program {
        Some(program) => program.clone(),
        None => std::env::current_exe().context("failed to find this program's own file")?,
    };
    let variant = options.variant.to_possible_value();
    let variant = variant.context("failed to name the shop's variant")?;
    let mut command = Command::new(program);
    command
        .args([SUBCOMMAND, "--with-parent", "--variant", variant.get_name()])
        .arg("--log")
        .arg(&options.log)
        .arg("--window")
        .arg(humantime::format_duration(options.window).to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        // A group of its own: an interrupt at the terminal is for the parent, which may still need the shop to drain.
        .process_group(0)
        .kill_on_drop(true);
    if let Some(witness) = &options.witness {
        command.arg("--witness").arg(witness);
    }
    Ok(command)
}

async fn announcement(stdout: ChildStdout) -> anyhow::Result<Listening> {
    let mut line = String::new();
    BufReader::new(stdout.take(ANNOUNCEMENT_MAX)).read_line(&mut line).await.context("failed to read from the shop")?;
    if line.is_empty() {
        bail!("the shop ended before it listened: see its message above");
    }
    serde_json::from_str(&line).context("failed to understand the shop's first line")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use jiff::Timestamp;
    use serde_json::json;
    use tempfile::TempDir;

    use super::*;
    use crate::log::ShopLog;
    use crate::routes;
    use crate::service::ShopService;
    use crate::shop::Shop;

    /// Options to start a script instead of the binary; it finds its arguments as the shop would.
    fn script(folder: &TempDir, text: &str) -> ShopOptions {
        let program = folder.path().join("provost");
        std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        ShopOptions {
            program: Some(program),
            variant: Variant::RollbackDoesNotHelp,
            log: folder.path().join("shop.log"),
            witness: Some(folder.path().join("witness.json")),
            window: Duration::from_millis(1500),
        }
    }

    #[tokio::test]
    async fn the_announced_shop_is_asked_for_its_witness() {
        let folder = TempDir::new().unwrap();
        let log = ShopLog::open(folder.path().join("other.log")).await.unwrap();
        let shop = Shop::new(Variant::default(), Duration::from_secs(5), Timestamp::UNIX_EPOCH);
        let service = Arc::new(ShopService::start(shop, log, None).await.unwrap());
        service.with(Shop::count_admin_read);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let tasks = tokio_util::task::TaskTracker::new();
        tasks.spawn(async move { axum::serve(listener, routes::router(service)).await });

        let line = json!({"listening": url, "log": "/var/log/shop.log"});
        let options = script(&folder, &format!("echo '{line}'; cat >/dev/null"));
        let shop = ShopProcess::spawn(options).await.unwrap();
        assert_eq!(shop.base_url(), url);
        assert_eq!(shop.witness().await.unwrap().admin_reads, 1);
    }

    #[tokio::test]
    async fn the_options_reach_the_command_line() {
        let folder = TempDir::new().unwrap();
        let seen = folder.path().join("arguments");
        let options = script(&folder, &format!("echo \"$@\" >'{}'", seen.display()));
        ShopProcess::spawn(options).await.unwrap_err();
        let here = folder.path().display();
        assert_eq!(
            std::fs::read_to_string(seen).unwrap(),
            format!(
                "patient --with-parent --variant rollback-does-not-help --log {here}/shop.log \
                 --window 1s 500ms --witness {here}/witness.json\n"
            )
        );
    }

    #[track_caller]
    fn check_refused(refused: anyhow::Result<ShopProcess>, expect: &str) {
        let message = format!("{:#}", refused.unwrap_err());
        assert!(message.starts_with(expect), "{message}");
    }

    #[tokio::test]
    async fn a_shop_that_does_not_start_is_an_error_that_says_so() {
        let folder = TempDir::new().unwrap();
        let ended = ShopProcess::spawn(script(&folder, "exit 3")).await;
        check_refused(ended, "the shop ended before it listened");
        let babbling = ShopProcess::spawn(script(&folder, "echo hello")).await;
        check_refused(babbling, "failed to understand the shop's first line");
        let absent = ShopOptions { program: Some(folder.path().join("absent")), ..script(&folder, "") };
        let absent = ShopProcess::spawn(absent).await;
        check_refused(absent, "failed to start the shop");
    }
}
