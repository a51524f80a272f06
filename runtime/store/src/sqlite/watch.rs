//! Whether the database's names still lead to the files that are open. A file that was deleted, moved or replaced under a running
//! process takes every write and is gone with the process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use provost_domain::port::StoreError;
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::inode::Inode;

/// A store that nobody writes to learns of it within this time.
const EVERY: Duration = Duration::from_secs(1);

/// Looks at the names of one open database.
#[derive(Debug)]
pub(super) struct FileWatch {
    files: Vec<WatchedFile>,
    ticks: Interval,
    is_lost: bool,
}

#[derive(Debug)]
struct WatchedFile {
    path: PathBuf,
    /// `None` until it is first seen: SQLite makes the files beside the database when it needs them.
    inode: Option<Inode>,
}

impl FileWatch {
    /// Watches the database and the two files that SQLite keeps beside it.
    pub(super) fn new(database: &Path, inode: Option<Inode>) -> Self {
        let beside = |ending: &str| {
            let mut name = OsString::from(database);
            name.push(ending);
            WatchedFile { path: name.into(), inode: None }
        };
        let files = vec![WatchedFile { path: database.to_owned(), inode }, beside("-wal"), beside("-shm")];
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { files, ticks, is_lost: false }
    }

    /// Waits until a name no longer leads to its file. Looks once a second; nothing is lost when it is not waited for to its end.
    pub(super) async fn lost(&mut self) -> StoreError {
        loop {
            self.ticks.tick().await;
            if let Err(error) = self.look() {
                return error;
            }
        }
    }

    /// Looks now.
    ///
    /// # Errors
    /// A name leads to another file, or to none that this process can see.
    pub(super) fn look(&mut self) -> Result<(), StoreError> {
        let looked = self.files.iter_mut().try_for_each(WatchedFile::look);
        self.is_lost |= looked.is_err();
        looked
    }

    /// Whether a file was ever found gone.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost
    }
}

impl WatchedFile {
    fn look(&mut self) -> Result<(), StoreError> {
        let found = self.path.symlink_metadata().map(|metadata| Inode::of(&metadata));
        let what = match (self.inode, found) {
            (None, found) => {
                self.inode = found.ok();
                return Ok(());
            }
            (Some(open), Ok(found)) if found == open => return Ok(()),
            (Some(_), Ok(_)) => "is another file than the one that is open".to_owned(),
            (Some(_), Err(error)) => format!("cannot be found any more ({error})"),
        };
        let path = self.path.display();
        let detail = format!(
            "{path} {what}: what is written from here on would be lost; stop what moves or deletes the store's files, put them \
             back, then start again"
        );
        Err(StoreError::Failed { detail })
    }
}
