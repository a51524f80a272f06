//! A whole incident on a real model server whose model has random weights: `cargo xtask compat --server llama`.
//!
//! What it answers is well formed on the wire and means nothing. It must never end in an outcome.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use provost_tests::llama::LlamaServer;
use provost_tests::shop::Shop;
use serde_json::Value;
use tokio::process::Command;

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
    let server = LlamaServer::start(&python, &model, &["--n_ctx", "32768"]).await;
    let shop = Shop::start("heals-on-rollback").await;
    shop.ask_model(&server.base_url, ", request_timeout: 5m");
    let last = shop.last(&["run", "incident", "--input", &shop.alert()]).await;
    let text = |key: &str| last.get(key).and_then(Value::as_str).with_context(|| format!("no {key}: {last}"));
    let (status, reason) = (text("status")?, text("reason")?);
    ensure!(ENDS.contains(&status), "it ended as {status}: {reason}");
    ensure!(shop.witness() == (0, 0), "something was done: {:?}", shop.witness());
    println!("{status}: {reason}");
    Ok(())
}
