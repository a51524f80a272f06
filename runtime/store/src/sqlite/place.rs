//! Where a database may lie, and the lock that keeps a second process out.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use provost_domain::port::StoreError;

/// Filesystems whose locks or shared memory SQLite cannot trust, by the first part of their type's name.
const NETWORK: [&str; 14] = [
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "fuse.glusterfs",
    "fuse.rclone",
    "fuse.sshfs",
    "gfs2",
    "lustre",
    "nfs",
    "ocfs2",
    "smb",
];

/// A database file that this process alone may write.
#[derive(Debug)]
pub(super) struct Place {
    /// The file's real path, whatever links led to it.
    pub(super) path: PathBuf,
    /// Held for as long as this is open.
    pub(super) lock: File,
    /// Whether its last holder held it in this run of the machine, so that the files are as that process left them.
    pub(super) same_boot: bool,
}

/// Creates folder and file when absent, for this user only, and takes the lock where the file is to be this process's alone.
pub(super) fn claim(path: &Path, alone: bool) -> Result<Place, StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable(folder))?;
    let path = resolve(folder, path)?;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    if let Some(kind) = network_filesystem(&mounts, &path) {
        let detail = format!("{} is on a network filesystem ({kind}); put the store on a local disk", path.display());
        return Err(StoreError::Failed { detail });
    }
    let (lock, same_boot) = lock(&path, alone)?;
    private().open(&path).map_err(unusable(&path))?;
    Ok(Place { path, lock, same_boot })
}

/// Refuses what is not there, which SQLite would create.
pub(super) fn require_file(path: &Path) -> Result<(), StoreError> {
    if path.is_file() {
        return Ok(());
    }
    let detail = format!("{} does not exist; run a session first or name the right store", path.display());
    Err(StoreError::Failed { detail })
}

/// The file's real path, so that two names of one file share one lock.
fn resolve(folder: &Path, path: &Path) -> Result<PathBuf, StoreError> {
    if path.is_dir() {
        let detail = format!("{} is a folder; name the database file in it", path.display());
        return Err(StoreError::Failed { detail });
    }
    if path.exists() {
        return path.canonicalize().map_err(unusable(path));
    }
    let name = path.file_name().ok_or_else(|| StoreError::Failed {
        detail: format!("{} names no file; name the database file", path.display()),
    })?;
    Ok(folder.canonicalize().map_err(unusable(folder))?.join(name))
}

fn private() -> std::fs::OpenOptions {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Takes `<file>.lock`, or names who holds it; and whether its last holder held it in this run of the machine. The file tells
/// the process's id and, in a second line, the run. It is only opened where others may hold it.
fn lock(path: &Path, alone: bool) -> Result<(File, bool), StoreError> {
    let lock_path = lock_path(path);
    let mut file = private().open(&lock_path).map_err(unusable(&lock_path))?;
    if !alone {
        return Ok((file, same_boot(path)));
    }
    let locked = file.try_lock();
    let mut last = String::new();
    // Whoever holds it may be about to write it.
    let read = file.read_to_string(&mut last);
    match locked {
        Ok(()) => read.map_err(unusable(&lock_path))?,
        Err(TryLockError::WouldBlock) => {
            let holder = last.lines().next().unwrap_or("unknown");
            let detail = format!(
                "{} is held by another process (pid {holder}); stop it, or let that process do it",
                path.display()
            );
            return Err(StoreError::Held { detail });
        }
        Err(TryLockError::Error(error)) => return Err(unusable(&lock_path)(error)),
    };
    let text = format!("{}\n{}\n", std::process::id(), boot().unwrap_or_default());
    let write = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
    write.map_err(unusable(&lock_path))?;
    Ok((file, in_this_boot(&last)))
}

/// Whether whoever holds the database, or did last, does so in this run of the machine.
pub(super) fn same_boot(path: &Path) -> bool {
    std::fs::read_to_string(lock_path(path)).is_ok_and(|holder| in_this_boot(&holder))
}

/// Whether this very process holds the database.
pub(super) fn held_here(path: &Path) -> bool {
    let Ok(mut file) = File::open(lock_path(path)) else { return false };
    let mut holder = String::new();
    let ours = std::process::id().to_string();
    file.read_to_string(&mut holder).is_ok_and(|_| holder.lines().next() == Some(ours.as_str()))
        // Also an older process may have had this number, in a container for example.
        && matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn in_this_boot(holder: &str) -> bool {
    boot().is_some_and(|boot| holder.lines().nth(1) == Some(boot.as_str()))
}

/// Names this run of the machine.
fn boot() -> Option<String> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(id.trim().to_owned())
}

pub(super) fn unusable(path: &Path) -> impl Fn(io::Error) -> StoreError {
    move |error| StoreError::Failed {
        detail: format!("{}: {error}; choose a place this user can write, with space left", path.display()),
    }
}

/// The type of the network filesystem that holds `path`, by the longest mount point above it; the last mounted wins.
fn network_filesystem<'m>(mounts: &'m str, path: &Path) -> Option<&'m str> {
    let mount = |line: &'m str| {
        let (left, right) = line.split_once(" - ")?;
        let point = unescape(left.split(' ').nth(4)?);
        let kind = right.split(' ').next()?;
        path.starts_with(&point).then_some((point.len(), kind))
    };
    let holds = mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length);
    holds.map(|(_, kind)| kind).filter(|kind| NETWORK.iter().any(|network| kind.starts_with(network)))
}

/// The kernel writes blanks in mount points as octal.
fn unescape(point: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(point.to_owned(), |text, (code, plain)| text.replace(code, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
        30 22 0:40 / /home rw shared:2 - nfs4 server:/home rw\n\
        31 30 254:1 / /home/local\\040disk rw shared:3 - xfs /dev/vdb rw\n\
        32 22 0:41 / /mnt/share rw - ext4 /dev/vdc rw\n\
        33 22 0:42 / /mnt/share rw - cifs //server/share rw\n";

    #[track_caller]
    fn check(path: &str, expect: Option<&str>) {
        assert_eq!(network_filesystem(MOUNTS, Path::new(path)), expect, "{path}");
    }

    #[test]
    fn a_process_knows_what_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.db");
        assert!(!held_here(&path));
        let place = claim(&path, true).unwrap();
        assert!(held_here(&path) && same_boot(&path));
        drop(place);
        assert!(!held_here(&path), "its number still stands in the file");
    }

    #[test]
    fn a_network_filesystem_is_seen_by_its_mount() {
        check("/var/lib/p.db", None);
        check("/home/a/p.db", Some("nfs4"));
        check("/homes/a/p.db", None);
        check("/home/local disk/p.db", None);
        check("/mnt/share/p.db", Some("cifs"));
    }
}
