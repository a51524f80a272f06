//! What the shop itself saw: the independent count of every effect.

use std::collections::VecDeque;
use std::path::PathBuf;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

/// On-call bodies kept, oldest first to go; a session sends one.
const BODIES_MAX: usize = 32;

/// The shop's own counts. `GET /admin/witness` answers with it, and the witness file holds it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct ShopWitness {
    /// Rollbacks carried out.
    pub rollbacks: u64,
    /// Rollback requests that arrived, whatever they were answered.
    pub rollback_requests: u64,
    /// Distinct `Idempotency-Key`s among the rollback requests.
    pub rollback_keys: u64,
    /// Rollback requests whose key had been answered before; the shop did not act again.
    pub rollback_repeats: u64,
    /// Restarts carried out.
    pub restarts: u64,
    /// Restart requests that arrived.
    pub restart_requests: u64,
    /// Restart requests whose key had been answered before.
    pub restart_repeats: u64,
    /// Releases deployed by request.
    pub releases: u64,
    /// Release requests that arrived.
    pub release_requests: u64,
    /// Release requests whose key had been answered before.
    pub release_repeats: u64,
    /// On-call messages taken.
    pub oncall: u64,
    /// On-call messages whose key had been answered before.
    pub oncall_repeats: u64,
    /// The latest on-call messages; what is not JSON is kept as a string.
    pub oncall_bodies: VecDeque<Value>,
    /// Admin requests answered 503 because the admin port is failing.
    pub refused: u64,
    /// `GET` requests to the admin port, those for the witness aside.
    pub admin_reads: u64,
    /// Checkouts begun, those of the load loop included. In the witness file this is the count at the last admin or on-call request.
    pub checkouts: u64,
    /// Checkouts answered 500.
    pub checkouts_failed: u64,
}

impl ShopWitness {
    /// Counts an on-call message and keeps its body.
    pub(crate) fn took_oncall(&mut self, body: Value) {
        self.oncall += 1;
        if self.oncall_bodies.len() == BODIES_MAX {
            self.oncall_bodies.pop_front();
        }
        self.oncall_bodies.push_back(body);
    }
}

/// The file that outlives the shop; a reader finds either the old or the new counts in it, never a part.
#[derive(Debug)]
pub(crate) struct WitnessFile {
    path: PathBuf,
    writing: Mutex<()>,
}

impl WitnessFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, writing: Mutex::new(()) }
    }

    /// Replaces the file by what `counts` gives once it is this caller's turn: later turns never write older counts.
    /// Once it returns, a kill of the process loses nothing of them (a power cut may).
    pub(crate) async fn write(&self, counts: impl FnOnce() -> ShopWitness + Send) -> anyhow::Result<()> {
        let _turn = self.writing.lock().await;
        let text = serde_json::to_vec_pretty(&counts())?;
        let mut unfinished = self.path.clone().into_os_string();
        unfinished.push(".new");
        let failed = || {
            format!(
                "failed to write the witness file {}: name a path in a folder that can be written to",
                self.path.display()
            )
        };
        tokio::fs::write(&unfinished, text).await.with_context(failed)?;
        tokio::fs::rename(&unfinished, &self.path).await.with_context(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_oncall_bodies_are_kept() {
        let mut witness = ShopWitness::default();
        for nth in 0..=BODIES_MAX {
            witness.took_oncall(nth.into());
        }
        assert_eq!(witness.oncall_bodies.len(), BODIES_MAX);
        assert_eq!(witness.oncall_bodies.front(), Some(&Value::from(1)));
        assert_eq!(witness.oncall, BODIES_MAX as u64 + 1);
    }

    #[tokio::test]
    async fn the_file_holds_the_latest_counts_and_no_leftovers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness.json");
        let file = WitnessFile::new(path.clone());
        for rollbacks in 0..=1 {
            let counts = ShopWitness { rollbacks, ..ShopWitness::default() };
            file.write(|| counts).await.unwrap();
        }
        let read: ShopWitness = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(read.rollbacks, 1);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[tokio::test]
    async fn a_missing_folder_is_named() {
        let file = WitnessFile::new(PathBuf::from("/nowhere/at/all/witness.json"));
        let refused = file.write(ShopWitness::default).await.unwrap_err();
        assert!(refused.to_string().contains("/nowhere/at/all/witness.json"));
    }
}
