//! A folder with a configuration and an alert, and `provost` commands on it.

use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::binary;

/// Only how long a failing test takes.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The folder.
#[derive(Debug)]
pub struct Desk {
    folder: TempDir,
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

impl Desk {
    /// A folder without a service: every tool is refused a connection.
    pub fn new() -> Self {
        let desk = Self::empty();
        desk.furnish("http://127.0.0.1:9");
        // Its service is away for good: nobody waits for it.
        desk.configure("engine: {outage_budget: 0s}");
        desk
    }

    pub(crate) fn empty() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// Writes configuration and alert for the service at `url`.
    pub(crate) fn furnish(&self, url: &str) {
        let pack = crate::shipped::folder();
        let config = format!(
            "store: sqlite://{store}\npacks: [{pack}]\nmodels:\n  default: {{provider: scripted, script: {pack}/demo.script.yaml}}\n\
             tools:\n  metrics: {{endpoint: \"{url}/metrics\"}}\n  service: {{admin: \"{url}/admin\"}}\n  \
             logs: {{files: {{shop: shop.log}}}}\n  notify: {{oncall: {{url: \"{url}/oncall\"}}}}\n",
            store = self.path("provost.db").display(),
            pack = pack.display(),
        );
        std::fs::write(self.path("provost.yaml"), config).unwrap();
        let labels = json!({"alertname": "ShopErrors", "service": "shop", "environment": "production"});
        let alert = json!({"version": "4", "groupKey": "g", "status": "firing", "receiver": "r",
            "alerts": [{"status": "firing", "labels": labels, "annotations": {"summary": "checkout fails"},
                "startsAt": "2026-01-01T00:00:00Z", "fingerprint": "1"}]});
        std::fs::write(self.path("alert.json"), alert.to_string()).unwrap();
    }

    /// Adds a section to the configuration.
    pub fn configure(&self, section: &str) {
        let file = self.path("provost.yaml");
        let config = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, format!("{config}{section}\n")).unwrap();
    }

    /// Configures a model of the chat protocol in the place of the scripted one, with these more keys.
    pub fn ask_model(&self, base_url: &str, more: &str) {
        let file = self.path("provost.yaml");
        let config = std::fs::read_to_string(&file).unwrap();
        let scripted = config.lines().find(|line| line.contains("provider: scripted")).unwrap();
        let model = format!("  default: {{provider: openai_compatible, base_url: \"{base_url}\", model: m{more}}}");
        std::fs::write(file, config.replace(scripted, &model)).unwrap();
    }

    /// A file of the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The `run` command's input.
    pub fn alert(&self) -> String {
        self.path("alert.json").display().to_string()
    }

    /// A `provost` command with this configuration, killed when dropped, that speaks to people.
    pub fn plain(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary::provost().unwrap());
        command.args(arguments).arg("--config").arg(self.path("provost.yaml"));
        piped(&mut command);
        command
    }

    /// A `provost` command with this configuration, killed when dropped, that speaks JSON.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.plain(arguments);
        command.args(["--output", "json"]);
        command
    }

    /// Runs a command to its end.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        finished(self.command(arguments)).await
    }

    /// Runs a command to its end and reads the last line it printed.
    pub async fn last(&self, arguments: &[&str]) -> Value {
        last_line(&self.run(arguments).await)
    }
}

/// Nothing to read, everything said kept, killed when dropped.
pub fn piped(command: &mut Command) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
}

/// Runs a command to its end.
pub async fn finished(mut command: Command) -> Output {
    tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap()
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
