//! Configurations with one mistake each: whatever `config check` passes, `serve` starts with, and whatever `serve` starts with, it
//! passes. Files only: what the environment holds stays as it is.

mod change;
mod original;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::desk::{finished, piped};

/// Only how long a failing mutation takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Which mutations are tried.
#[derive(Debug, Clone)]
pub struct MutationSettings {
    /// The program.
    pub program: PathBuf,
    /// The first mutation's seed; the others follow it.
    pub seed: u64,
    /// How many.
    pub count: u32,
    /// How many at once.
    pub at_once: usize,
}

/// What the check said of one configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checked {
    Good,
    Unchecked,
    Bad,
    /// It ended otherwise.
    Broken,
}

/// What came of all mutations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MutationTally {
    /// Passed, and `serve` starts.
    pub good: u32,
    /// Refused, and `serve` does not start.
    pub bad: u32,
    /// Said to depend on what is not here, and `serve` does not start here.
    pub unchecked: u32,
    /// What check and start do not agree on, in words.
    pub wrong: Vec<String>,
}

/// Tries the mutations.
pub async fn mutate(settings: &MutationSettings) -> MutationTally {
    let (mut running, mut tally) = (JoinSet::new(), MutationTally::default());
    for number in 0..u64::from(settings.count) {
        if running.len() >= settings.at_once.max(1) {
            tally.add(running.join_next().await.unwrap().unwrap());
        }
        running.spawn(attempt(settings.program.clone(), settings.seed + number));
    }
    while let Some(attempted) = running.join_next().await {
        tally.add(attempted.unwrap());
    }
    tally
}

/// One mutation, and what was said of it.
#[derive(Debug)]
struct Attempt {
    seed: u64,
    mutation: String,
    checked: Checked,
    /// What the check said.
    said: String,
    /// What `serve` said where it did not start.
    refused: Option<String>,
}

impl MutationTally {
    fn add(&mut self, Attempt { seed, mutation, checked, said, refused }: Attempt) {
        match (checked, &refused) {
            (Checked::Good, None) => self.good += 1,
            (Checked::Bad, Some(_)) => self.bad += 1,
            (Checked::Unchecked, Some(_)) => self.unchecked += 1,
            (Checked::Good, Some(_)) | (Checked::Bad | Checked::Unchecked, None) | (Checked::Broken, _) => {
                let started = refused.as_deref().unwrap_or("it started");
                self.wrong.push(format!("seed {seed}: {mutation}\n  check, {checked:?}: {said}\n  serve: {started}"));
            }
        }
    }
}

async fn attempt(program: PathBuf, seed: u64) -> Attempt {
    let folder = TempDir::new().unwrap();
    original::write(folder.path());
    let mutation = change::change(folder.path(), &mut fastrand::Rng::with_seed(seed));
    let before = files(folder.path());
    let (checked, said) = check(&program, folder.path()).await;
    let checked = if files(folder.path()) == before { checked } else { Checked::Broken };
    let refused = start(&program, folder.path()).await.err();
    Attempt { seed, mutation, checked, said, refused }
}

/// A command on the configuration of a folder.
fn command(program: &Path, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).arg("--config").arg(folder.join("provost.yaml"));
    piped(&mut command);
    command
}

async fn check(program: &Path, folder: &Path) -> (Checked, String) {
    let output = finished(command(program, folder, &["config", "check"])).await;
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let checked = match output.status.code() {
        Some(0) => Checked::Good,
        Some(1) if !said.contains("panicked") => Checked::Bad,
        Some(3) => Checked::Unchecked,
        Some(_) | None => Checked::Broken,
    };
    (checked, said)
}

/// Starts the daemon and kills it once it listens, or says why it ended.
async fn start(program: &Path, folder: &Path) -> Result<(), String> {
    let log = folder.join("serve.log");
    let mut command = command(program, folder, &["serve", "--output", "json"]);
    command.stderr(Stdio::from(std::fs::File::create(&log).unwrap()));
    let mut daemon = command.spawn().unwrap();
    let mut lines = BufReader::new(daemon.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    let listening = matches!(&line, Ok(Ok(Some(line))) if line.contains("\"listening\""));
    drop(daemon.kill().await);
    if listening {
        return Ok(());
    }
    Err(format!("{line:?}; {}", std::fs::read_to_string(&log).unwrap_or_default()))
}

/// What lies in a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.collect();
    files.sort();
    files
}
