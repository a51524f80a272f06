//! A write-ahead log that lacks something, as a killed process and a bad disk may leave it.

use std::fs;
use std::path::{Path, PathBuf};

use provost_domain::port::{Backup as _, Reads as _, SessionFilter, SessionStore as _, StoreError};
use provost_store::SqliteStore;
use tempfile::TempDir;

use super::{place, says};
use crate::support::{id, new};

/// Of each frame, before its page of 4 KiB.
const FRAME_HEADER: usize = 24;
const ENDINGS: [&str; 4] = ["", "-wal", "-shm", ".lock"];

/// The files of a process that was killed after it answered for three sessions.
struct Killed {
    _folder: TempDir,
    path: PathBuf,
}

impl Killed {
    async fn new() -> Self {
        let (_theirs, path) = place();
        // Closing takes the tables over into the database; what comes afterwards is in the log alone.
        SqliteStore::open(&path).await.unwrap().close().await;
        let store = SqliteStore::open(&path).await.unwrap();
        for n in 1..=3 {
            store.create(new(n)).await.unwrap();
        }
        let killed = Self::copied(&path);
        store.close().await;
        killed
    }

    fn copied(from: &Path) -> Self {
        let (folder, path) = place();
        let killed = Self { _folder: folder, path };
        for ending in ENDINGS {
            fs::copy(format!("{}{ending}", from.display()), killed.file(ending)).unwrap();
        }
        killed
    }

    fn file(&self, ending: &str) -> PathBuf {
        PathBuf::from(format!("{}{ending}", self.path.display()))
    }

    fn files(&self) -> Vec<Option<Vec<u8>>> {
        ENDINGS.iter().take(3).map(|ending| fs::read(self.file(ending)).ok()).collect()
    }

    /// Changes the log.
    fn spoil(self, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut log = fs::read(self.file("-wal")).unwrap();
        change(&mut log);
        fs::write(self.file("-wal"), log).unwrap();
        self
    }

    /// As after the machine itself had stopped.
    fn after_another_boot(self) -> Self {
        fs::write(self.file(".lock"), "1\nanother\n").unwrap();
        self
    }

    /// No way to open it leads past the damage, and none changes a byte.
    async fn refused(self, what: &str) -> Self {
        let before = self.files();
        let copy = self.file("-copy");
        for result in [
            SqliteStore::open(&self.path).await.map(drop),
            SqliteStore::open_read_only(&self.path).await.map(drop),
            self.back_up(&copy).await,
        ] {
            assert!(matches!(&result, Err(StoreError::Damaged { .. })), "{what}: {result:?}");
            says(
                result,
                &["p.db-wal: only the first", "committed pages are whole", "restore a backup", "p.db-shm away"],
            );
        }
        assert!(self.files() == before, "{what}: a file was changed");
        self
    }

    async fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        SqliteStore::open_read_only(&self.path).await?.back_up(to).await
    }

    /// How many of the three sessions are there.
    async fn sessions(&self) -> usize {
        let store = SqliteStore::open(&self.path).await.unwrap();
        let found = store.sessions(&SessionFilter { limit: 500, ..SessionFilter::default() }).await.unwrap().len();
        store.close().await;
        found
    }
}

#[tokio::test]
async fn a_whole_log_is_taken() {
    assert_eq!(Killed::new().await.sessions().await, 3);
}

#[tokio::test]
async fn a_cut_log_is_refused_wherever_it_was_cut() {
    let killed = Killed::new().await;
    let length = fs::metadata(killed.file("-wal")).unwrap().len();
    for keep in [0, 31, 32, 33, length / 3, length / 2, length - 1] {
        let cut = Killed::copied(&killed.path).spoil(|log| log.truncate(usize::try_from(keep).unwrap()));
        cut.refused(&format!("{keep} of {length} bytes")).await;
    }
    fs::remove_file(killed.file("-wal")).unwrap();
    killed.refused("no log").await;
}

#[tokio::test]
async fn a_changed_log_is_refused_wherever_it_was_changed() {
    let killed = Killed::new().await;
    let length = usize::try_from(fs::metadata(killed.file("-wal")).unwrap().len()).unwrap();
    let frame = FRAME_HEADER + 4096;
    for at in [0, 9, 28, 32, 32 + 8, 32 + 16, 32 + frame + FRAME_HEADER + 100, length - 1] {
        let changed = Killed::copied(&killed.path).spoil(|log| log[at] ^= 1);
        changed.refused(&format!("byte {at} of {length}")).await;
    }
}

#[tokio::test]
async fn whoever_moves_the_index_away_goes_on_with_what_is_left() {
    let killed = Killed::new().await.spoil(|log| log.truncate(log.len() - 1)).refused("cut").await;
    fs::remove_file(killed.file("-shm")).unwrap();
    assert_eq!(killed.sessions().await, 2);
}

/// A stop of the machine leaves the index as it was written last, which may be long ago.
#[tokio::test]
async fn after_a_stop_of_the_machine_only_the_same_log_is_held_against_the_index() {
    let cut = Killed::new().await.after_another_boot().spoil(|log| log.truncate(log.len() - 1));
    cut.refused("cut").await;
    let none = Killed::new().await.after_another_boot().spoil(Vec::clear);
    assert_eq!(none.sessions().await, 0);
    let (old, later) = (Killed::new().await, Killed::new().await);
    fs::copy(old.file("-shm"), later.file("-shm")).unwrap();
    assert_eq!(later.sessions().await, 3, "the index of another log");
}

#[tokio::test]
async fn what_a_checkpoint_has_taken_over_may_be_gone() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    store.create(new(1)).await.unwrap();
    super::raw(&path, "PRAGMA wal_checkpoint(PASSIVE)").await.unwrap();
    let killed = Killed::copied(&path).spoil(Vec::clear);
    store.close().await;
    assert_eq!(killed.sessions().await, 1);
}

/// The log begins anew, grows and is checkpointed while others look.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beside_a_writer_nothing_is_taken_for_damage() {
    let (_folder, path) = place();
    let store = SqliteStore::open(&path).await.unwrap();
    let writing = async {
        for n in 1..=200 {
            store.create(new(n)).await.unwrap();
            if n % 20 == 0 {
                super::raw(&path, "PRAGMA wal_checkpoint(RESTART)").await.unwrap();
            }
        }
    };
    let looking = async {
        loop {
            let reads = SqliteStore::open_read_only(&path).await.unwrap();
            if reads.session(id(200)).await.is_ok() {
                break;
            }
            reads.close().await;
        }
    };
    tokio::join!(writing, looking);
    store.close().await;
}
