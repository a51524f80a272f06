//! Drives every documented path of a running daemon with generated requests: `cargo xtask openapi --calls N`.
//!
//! Checked: no server error, no undocumented status or content type, no answer outside its schema, no path that ignores
//! its token. Half of the calls come with an admin's token and half without any.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use provost_tests::daemon::Daemon;
use serde_json::{Value, json};
use tokio::process::Command;

const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
     response_headers_conformance,ignored_auth";
/// Requests per path and round; some rounds make a campaign.
const EXAMPLES: &str = "40";

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let generator = PathBuf::from(arguments.next().context("where is the generator?")?);
    let calls: u64 = arguments.next().context("how many calls?")?.parse()?;
    let daemon = Daemon::start("heals-on-rollback").await;
    let session = daemon.open().await;
    daemon.until(&session, "awaiting_input").await;
    let folder = tempfile::tempdir()?;
    let document = daemon.get("/openapi.json").await;
    std::fs::write(folder.path().join("openapi.json"), document.to_string())?;
    std::fs::write(folder.path().join("schemathesis.toml"), format!("[parameters]\nsession = {}\n", json!(session)))?;
    let mut made = 0;
    let mut round = 0;
    while made < calls {
        round += 1;
        for role in ["admin", ""] {
            let report = one_round(&generator, &daemon, folder.path(), role, round).await?;
            let count = count(&report).context("the generator's report has no count")?;
            println!("round {round} as {}: {count} calls", if role.is_empty() { "nobody" } else { role });
            made += count;
        }
    }
    let (_, code) = daemon.stop().await;
    if code != 0 {
        bail!("the daemon ended with {code}");
    }
    println!(
        "{made} calls; no server error, nothing undocumented, no answer outside its schema, no path without its guard"
    );
    Ok(())
}

async fn one_round(generator: &Path, daemon: &Daemon, folder: &Path, role: &str, seed: u32) -> Result<Value> {
    let mut command = Command::new(generator);
    command.current_dir(folder).args(["run", "openapi.json", "--url", &daemon.url, "--checks", CHECKS]);
    // A stream never ends by itself.
    command.args(["--exclude-path", "/v1/stream", "-n", EXAMPLES, "--seed", &seed.to_string()]);
    command.args(["--report-json-path", "report.json", "--no-color"]);
    if !role.is_empty() {
        command.args(["--header", &format!("Authorization: Bearer {}", daemon.secret(role))]);
    }
    let output = command.output().await.context("starting the generator")?;
    if !output.status.success() {
        bail!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&std::fs::read(folder.join("report.json"))?)?)
}

fn count(report: &Value) -> Option<u64> {
    report.pointer("/test_cases/generated")?.as_u64()
}
