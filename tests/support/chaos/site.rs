//! The daemon's folder and its process.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::Settings;
use super::disk::Disk;
use crate::desk::last_line;

/// Who opens, stops and settles.
pub(super) const OPERATOR: &str = "operator";
/// Who answers approvals.
pub(super) const APPROVER: &str = "approver";
/// The end of the daemon's log that is shown.
const LOG_SHOWN: usize = 4_000;

/// The pack: two agents, tools of every class, a gate in one of two environments.
const PACK: [(&str, &str); 6] = [
    ("pack.yaml", include_str!("pack/pack.yaml")),
    ("script.yaml", include_str!("pack/script.yaml")),
    ("agents/scout/agent.yaml", include_str!("pack/agents/scout/agent.yaml")),
    ("agents/scout/SKILL.md", include_str!("pack/agents/scout/SKILL.md")),
    ("agents/mender/agent.yaml", include_str!("pack/agents/mender/agent.yaml")),
    ("agents/mender/SKILL.md", include_str!("pack/agents/mender/SKILL.md")),
];

/// Configuration, pack, log, and the store on a disk of its own.
#[derive(Debug)]
pub(super) struct Site {
    /// Unmounted before the folder goes.
    disk: Result<Disk, String>,
    folder: TempDir,
    program: PathBuf,
    environment: Vec<(String, String)>,
    secrets: BTreeMap<&'static str, String>,
}

impl Site {
    /// Makes the folder and the tokens.
    pub(super) async fn build(settings: &Settings, witness: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let disk = if settings.fill_disk { Disk::mount(&data) } else { Err("not asked for".to_owned()) };
        for (name, text) in PACK {
            write(&folder.path().join("chaos").join(name), text);
        }
        let config = format!(
            "store: sqlite://{}\npacks: [chaos]\nmodels:\n  default: {{provider: scripted, script: chaos/script.yaml}}\n\
             tools:\n  service: {{admin: \"{witness}/admin\", repeat: {{max: 1000, within: 1m}}}}\n  notify: {{oncall: {{url: \"{witness}/oncall\"}}}}\n\
             engine: {{drain: 2s, sessions_max: 2048}}\n",
            data.join("provost.db").display()
        );
        write(&folder.path().join("provost.yaml"), &config);
        let (program, environment) = (settings.program.clone(), settings.environment.clone());
        let mut site = Self { disk, folder, program, environment, secrets: BTreeMap::new() };
        for role in [OPERATOR, APPROVER] {
            let minted = last_line(&site.command(&["tokens", "create", role, "--role", role]).output().await.unwrap());
            site.secrets.insert(role, minted["secret"].as_str().unwrap().to_owned());
        }
        site
    }

    pub(super) fn secret(&self, role: &str) -> &str {
        &self.secrets[role]
    }

    /// The store's file.
    pub(super) fn store(&self) -> PathBuf {
        self.folder.path().join("data/provost.db")
    }

    /// A command on the site's configuration.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).args(["--output", "json", "--config"]).arg(self.folder.path().join("provost.yaml"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        crate::desk::piped(&mut command);
        command
    }

    /// Starts the daemon in a process group of its own.
    pub(super) fn spawn(&self) -> Process {
        let log = File::options().create(true).append(true).open(self.log_path()).unwrap();
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0", "--log-filter=warn"]);
        let mut child = command.stderr(Stdio::from(log)).process_group(0).spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Process { group: child.id().unwrap(), child, said, ended: false }
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("daemon.log")
    }

    /// What the daemons logged.
    pub(super) fn whole_log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_path()).unwrap_or_default()).into_owned()
    }

    /// The end of what the daemons logged.
    pub(super) fn log(&self) -> String {
        let log = fs::read(self.log_path()).unwrap_or_default();
        String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_SHOWN)..]).into_owned()
    }

    /// Whether the disk is full now.
    pub(super) fn fill_disk(&self) -> bool {
        self.disk.as_ref().is_ok_and(Disk::fill)
    }

    pub(super) fn free_disk(&self) {
        if let Ok(disk) = &self.disk {
            disk.free();
        }
    }

    /// Why the disk was never full, if it never was.
    pub(super) fn disk_never_full(&self, settings: &Settings) -> Option<String> {
        let why = self.disk.as_ref().err()?;
        Some(if settings.fill_disk { format!("no small disk could be mounted (root?): {why}") } else { why.clone() })
    }

    /// Leaves the folder where it is, the store's files included.
    pub(super) fn keep(mut self) -> PathBuf {
        let data = self.folder.path().join("data");
        let saved = self.folder.path().join("store");
        fs::create_dir(&saved).unwrap();
        for file in fs::read_dir(data).unwrap() {
            let file = file.unwrap();
            if file.metadata().unwrap().is_file() {
                fs::copy(file.path(), saved.join(file.file_name())).unwrap();
            }
        }
        self.disk = Err("kept".to_owned());
        self.folder.keep()
    }
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A daemon.
#[derive(Debug)]
pub(super) struct Process {
    group: u32,
    child: Child,
    said: BufReader<ChildStdout>,
    ended: bool,
}

impl Process {
    /// The process group of the daemon and its children.
    pub(super) fn group(&self) -> i32 {
        i32::try_from(self.group).unwrap()
    }

    /// Where it listens, once it does; what it says instead when it does not.
    pub(super) async fn listening(&mut self) -> Result<String, String> {
        let mut line = String::new();
        self.said.read_line(&mut line).await.unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_default();
        said["listening"].as_str().map(str::to_owned).ok_or(line)
    }

    /// Lets it be for a while, or until it ends.
    pub(super) async fn for_a_while(&mut self, length: Duration) {
        if !self.ended {
            self.ended = timeout(length, self.child.wait()).await.is_ok();
        }
    }

    /// Waits for its end.
    pub(super) async fn ended(&mut self) {
        self.child.wait().await.unwrap();
        self.ended = true;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Sends a signal to it and all its children. One that has ended gets none.
    pub(super) fn signal(&self, name: &str) {
        if self.ended {
            return;
        }
        let mut kill = std::process::Command::new("kill");
        kill.args(["-s", name, "--", &format!("-{}", self.group)]).stderr(Stdio::null());
        // It may have ended this moment.
        kill.status().unwrap();
    }

    /// Asks it to end and waits.
    pub(super) async fn stop(mut self) {
        self.signal("TERM");
        self.ended().await;
    }

    /// SIGKILL to it and all its children.
    pub(super) async fn kill(mut self) {
        self.signal("KILL");
        self.child.wait().await.unwrap();
    }
}
