//! The patient as a child process, for whoever needs an ill shop beside it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

use super::variant::Variant;
use super::witness::Witness;

/// How long the child may take to listen; it takes milliseconds, but the machine may be busy.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// How long an answer of the shop may take.
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);

/// Longest announcement read, in bytes: an address and a path.
const ANNOUNCEMENT_MAX: u64 = 16 * 1024;

/// The line the patient prints when it takes requests.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Listening {
    /// Base URL without a trailing slash.
    pub(crate) listening: String,
    /// The log file.
    pub(crate) log: PathBuf,
}

/// How to start a patient.
#[derive(Clone, Debug)]
pub(crate) struct PatientOptions {
    /// The binary; `None` for the running one.
    pub(crate) program: Option<PathBuf>,
    pub(crate) variant: Variant,
    /// The log file; its folder must exist.
    pub(crate) log: PathBuf,
    /// The witness file, if the counts are to outlive the patient.
    pub(crate) witness: Option<PathBuf>,
    /// How far back the shop's figures look.
    pub(crate) window: Duration,
}

/// A running patient; dropping it kills it. It also ends by itself when this process does, however that ends.
#[derive(Debug)]
pub(crate) struct PatientProcess {
    listening: Listening,
    client: reqwest::Client,
    /// Holds the pipe the patient watches, and kills on drop.
    _child: Child,
}

impl PatientProcess {
    /// Starts a patient and returns once it takes requests.
    pub(crate) async fn spawn(options: PatientOptions) -> anyhow::Result<Self> {
        let mut child = command(&options)?
            .spawn()
            .context("failed to start the patient: check that this program's file still exists and can be run")?;
        let stdout = child.stdout.take().context("failed to read from the patient")?;
        let listening = tokio::time::timeout(START_DEADLINE, announcement(stdout))
            .await
            .context("the patient did not listen in time: try again when the machine is less busy")??;
        let client = provost_http::client(None)?.timeout(ANSWER_DEADLINE).build()?;
        Ok(Self { listening, client, _child: child })
    }

    /// Where it listens, such as `http://127.0.0.1:40123`, without a trailing slash.
    pub(crate) fn base_url(&self) -> &str {
        &self.listening.listening
    }

    /// What the shop itself counted so far.
    pub(crate) async fn witness(&self) -> anyhow::Result<Witness> {
        let url = format!("{}/admin/witness", self.base_url());
        let asked = self.client.get(url).send().await;
        let answer = asked.and_then(reqwest::Response::error_for_status);
        let answer = answer.context("failed to ask the patient for its witness: it may have ended")?;
        answer.json().await.context("failed to read the patient's witness")
    }
}

fn command(options: &PatientOptions) -> anyhow::Result<Command> {
    let program = match &options.program {
        Some(program) => program.clone(),
        None => std::env::current_exe().context("failed to find this program's own file")?,
    };
    let variant = options.variant.to_possible_value();
    let variant = variant.context("failed to name the patient's variant")?;
    let mut command = Command::new(program);
    command
        .args(["patient", "--with-parent", "--variant", variant.get_name()])
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
    BufReader::new(stdout.take(ANNOUNCEMENT_MAX))
        .read_line(&mut line)
        .await
        .context("failed to read from the patient")?;
    if line.is_empty() {
        bail!("the patient ended before it listened: see its message above");
    }
    serde_json::from_str(&line).context("failed to understand the patient's first line")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    use jiff::Timestamp;
    use serde_json::json;
    use tempfile::TempDir;

    use super::super::log::Log;
    use super::super::routes;
    use super::super::service::Service;
    use super::super::shop::Shop;
    use super::*;

    /// Options to start a script instead of the binary; it finds its arguments as the patient would.
    fn script(folder: &TempDir, text: &str) -> PatientOptions {
        let program = folder.path().join("provost");
        std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        PatientOptions {
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
        let log = Log::open(folder.path().join("other.log")).await.unwrap();
        let shop = Shop::new(Variant::default(), Duration::from_secs(5), Timestamp::UNIX_EPOCH);
        let service = Arc::new(Service::start(shop, log, None).await.unwrap());
        service.with(Shop::count_admin_read);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let tasks = tokio_util::task::TaskTracker::new();
        tasks.spawn(async move { axum::serve(listener, routes::router(service)).await });

        let line = json!({"listening": url, "log": "/var/log/shop.log"});
        let options = script(&folder, &format!("echo '{line}'; cat >/dev/null"));
        let patient = PatientProcess::spawn(options).await.unwrap();
        assert_eq!(patient.base_url(), url);
        assert_eq!(patient.witness().await.unwrap().admin_reads, 1);
    }

    #[tokio::test]
    async fn the_options_reach_the_command_line() {
        let folder = TempDir::new().unwrap();
        let seen = folder.path().join("arguments");
        let options = script(&folder, &format!("echo \"$@\" >'{}'", seen.display()));
        PatientProcess::spawn(options).await.unwrap_err();
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
    fn check_refused(refused: anyhow::Result<PatientProcess>, expect: &str) {
        let message = format!("{:#}", refused.unwrap_err());
        assert!(message.starts_with(expect), "{message}");
    }

    #[tokio::test]
    async fn a_patient_that_does_not_start_is_an_error_that_says_so() {
        let folder = TempDir::new().unwrap();
        let ended = PatientProcess::spawn(script(&folder, "exit 3")).await;
        check_refused(ended, "the patient ended before it listened");
        let babbling = PatientProcess::spawn(script(&folder, "echo hello")).await;
        check_refused(babbling, "failed to understand the patient's first line");
        let absent = PatientOptions { program: Some(folder.path().join("absent")), ..script(&folder, "") };
        let absent = PatientProcess::spawn(absent).await;
        check_refused(absent, "failed to start the patient");
    }
}
