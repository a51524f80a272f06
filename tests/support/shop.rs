//! A running shop and the configuration of a Provost that cares for it, for tests of the built binary.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::binary;
use crate::eventually::eventually;

/// Only how long a failing test takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A shop, its folder, and `provost` commands on it.
#[derive(Debug)]
pub struct Shop {
    folder: TempDir,
    config: String,
    _patient: Child,
}

impl Shop {
    /// Starts a shop with quick figures, and writes configuration and alert beside it.
    pub async fn start(variant: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let mut patient = Command::new(binary::provost().unwrap())
            .args(["patient", "--with-parent", "--window=300ms", "--rate=200", "--variant", variant])
            .arg("--log")
            .arg(path("shop.log"))
            .arg("--witness")
            .arg(path("witness.json"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(patient.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let announced: Value = serde_json::from_str(&line).unwrap();
        let url = announced["listening"].as_str().unwrap();
        let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../skills/incident").canonicalize().unwrap();
        let config = format!(
            "store: sqlite://{store}\npacks: [{pack}]\nmodels:\n  default: {{provider: scripted, script: {pack}/demo.script.yaml}}\n\
             tools:\n  metrics: {{endpoint: \"{url}/metrics\"}}\n  service: {{admin: \"{url}/admin\"}}\n  \
             logs: {{files: {{shop: shop.log}}}}\n  notify: {{oncall: {{url: \"{url}/oncall\"}}}}\n",
            store = path("provost.db").display(),
            pack = pack.display(),
        );
        std::fs::write(path("provost.yaml"), &config).unwrap();
        let labels = json!({"alertname": "ShopErrors", "service": "shop", "environment": "production"});
        let alert = json!({"version": "4", "groupKey": "g", "status": "firing", "receiver": "r",
            "alerts": [{"status": "firing", "labels": labels, "annotations": {"summary": "checkout fails"},
                "startsAt": "2026-01-01T00:00:00Z", "fingerprint": "1"}]});
        std::fs::write(path("alert.json"), alert.to_string()).unwrap();
        let shop = Self { folder, config, _patient: patient };
        if variant != "already-healthy" {
            eventually("the shop to fall ill", PATIENCE, || is_ill(url)).await.unwrap();
        }
        shop
    }

    /// A file of the shop's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The configuration it began with.
    pub fn config(&self) -> &str {
        &self.config
    }

    /// Writes another configuration; who starts from now on reads it.
    pub fn configure(&self, config: &str) {
        std::fs::write(self.path("provost.yaml"), config).unwrap();
    }

    /// A `provost` command with this shop's configuration, JSON output, killed when dropped.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary::provost().unwrap());
        command
            .args(arguments)
            .arg("--config")
            .arg(self.path("provost.yaml"))
            .args(["--output", "json"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        tokio::time::timeout(PATIENCE, self.command(arguments).output()).await.unwrap().unwrap()
    }

    /// Runs a command to its end and reads the last line it printed.
    pub async fn last(&self, arguments: &[&str]) -> Value {
        last_line(&self.run(arguments).await)
    }

    /// Starts a command and kills it with SIGKILL after a while, unless it ends before. Whether it was killed.
    pub async fn run_and_kill(&self, arguments: &[&str], after: Duration) -> bool {
        // What it prints goes nowhere: a full pipe would hold it up.
        let mut child = self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let running = tokio::time::timeout(after, child.wait()).await.is_err();
        if running {
            child.kill().await.unwrap();
        }
        running
    }

    /// The `run` command's arguments.
    pub fn alert(&self) -> String {
        self.path("alert.json").display().to_string()
    }

    /// What the shop itself counted of rollbacks and notifications.
    pub fn witness(&self) -> (u64, u64) {
        let Ok(text) = std::fs::read_to_string(self.path("witness.json")) else { return (0, 0) };
        let counts: Value = serde_json::from_str(&text).unwrap();
        (counts["rollbacks"].as_u64().unwrap(), counts["oncall"].as_u64().unwrap())
    }
}

/// Whether the shop's own figures show what its alert says.
async fn is_ill(url: &str) -> Option<()> {
    let metrics = reqwest::get(format!("{url}/metrics")).await.ok()?.text().await.ok()?;
    let ratio = metrics.lines().find_map(|line| line.strip_prefix("http_errors_ratio "))?;
    (ratio.parse::<f64>().ok()? > 0.05).then_some(())
}

/// The last line of a command's output as JSON.
#[track_caller]
pub fn last_line(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().unwrap_or_default();
    let Ok(value) = serde_json::from_str(line) else {
        panic!("no JSON: {text}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    value
}
