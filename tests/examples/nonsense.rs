//! A whole incident on a real model server whose model has random weights: `cargo xtask compat --server llama`.
//!
//! What it answers is well formed on the wire and means nothing. It must never end in an outcome.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use provost_tests::eventually::eventually;
use provost_tests::shop::Shop;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// It loads a small file; importing what it is made of takes longer.
const STARTS_WITHIN: Duration = Duration::from_mins(2);
/// The ends of a run that reached nothing.
const ENDS: [&str; 2] = ["needs_review", "error"];

#[tokio::main]
async fn main() -> Result<()> {
    let python = std::env::args().nth(1).context("where is the Python that has the server?")?;
    let folder = tempfile::tempdir()?;
    let model = folder.path().join("tiny.gguf");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tiny_model.py");
    let written = Command::new(&python).arg(script).arg(&model).status().await.context("starting Python")?;
    ensure!(written.success(), "the model was not written");
    let (url, _server) = start(&python, &model).await?;
    let shop = Shop::start("heals-on-rollback").await;
    let config = std::fs::read_to_string(shop.path("provost.yaml"))?;
    let model =
        format!("  default: {{provider: openai_compatible, base_url: \"{url}/v1\", model: tiny, request_timeout: 5m}}");
    let ours = |line| if str::contains(line, "provider: scripted") { model.as_str() } else { line };
    std::fs::write(shop.path("provost.yaml"), config.lines().map(ours).collect::<Vec<_>>().join("\n"))?;
    let last = shop.last(&["run", "incident", "--input", &shop.alert()]).await;
    let text = |key: &str| last.get(key).and_then(Value::as_str).with_context(|| format!("no {key}: {last}"));
    let (status, reason) = (text("status")?, text("reason")?);
    ensure!(ENDS.contains(&status), "it ended as {status}: {reason}");
    ensure!(shop.witness() == (0, 0), "something was done: {:?}", shop.witness());
    println!("{status}: {reason}");
    Ok(())
}

async fn start(python: &str, model: &Path) -> Result<(String, Child)> {
    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port().to_string();
    let mut command = Command::new(python);
    command.args(["-m", "llama_cpp.server", "--host", "127.0.0.1", "--port", &port, "--n_ctx", "32768", "--model"]);
    command.arg(model).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let server = command.spawn().context("starting the server")?;
    let url = format!("http://127.0.0.1:{port}");
    let client = provost_http::client(None)?.build()?;
    let up = eventually("the model server", STARTS_WITHIN, || async {
        client.get(format!("{url}/v1/models")).send().await.ok().filter(|answer| answer.status().is_success())
    });
    if up.await.is_err() {
        bail!("the model server did not start");
    }
    Ok((url, server))
}
