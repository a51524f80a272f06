//! Where a database may lie, and the locks that keep a second process out.

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use provost_domain::port::StoreError;
use rustix::fs::{Access, OFlags, access};

use super::inode::{Inode, InodeLock, LockAttempt};

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
    /// Keep others out for as long as they are there.
    pub(super) locks: Locks,
    /// Whether its last holder held it in this run of the machine, so that the files are as that process left them.
    pub(super) same_boot: bool,
}

/// What keeps a second process out.
#[derive(Debug)]
pub(super) struct Locks {
    /// On the database's own inode. `None` where other processes may write it.
    inode: Option<InodeLock>,
    /// `<file>.lock`, which also tells who holds it. Dropped last: whoever gets it finds the database free.
    _file: File,
}

impl Locks {
    /// The database that is locked.
    pub(super) fn inode(&self) -> Option<Inode> {
        self.inode.as_ref().map(|lock| lock.inode)
    }
}

/// Creates folder and file when absent, for this user only, and takes the lock where the file is to be this process's alone.
pub(super) fn claim(path: &Path, alone: bool) -> Result<Place, StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(unusable(folder))?;
    let path = resolve(folder, path)?;
    let mounts = mounts();
    require_local(&mounts, &path)?;
    require_one_name(&mounts, &path)?;
    if !alone {
        private().open(&path).map_err(unusable(&path))?;
        let file = private().open(lock_path(&path)).map_err(unusable(&path))?;
        let same_boot = same_boot(&path);
        return Ok(Place { path, locks: Locks { inode: None, _file: file }, same_boot });
    }
    let LockFile { mut file, last } = LockFile::take(&path)?;
    if !last.is_empty() && !path.exists() {
        return Err(gone(&path));
    }
    let inode = lock_inode(&path)?;
    // Only now there is a store that can be missed.
    let text = format!("{}\n{}\n", std::process::id(), boot().unwrap_or_default());
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes()));
    written.map_err(unusable(&lock_path(&path)))?;
    Ok(Place { path, locks: Locks { inode: Some(inode), _file: file }, same_boot: in_this_boot(&last) })
}

/// What [`claim`] would find at a path: the file's real path, or nothing where it would begin a new one. Makes nothing.
///
/// # Errors
/// It could not be taken.
pub(super) fn look(path: &Path) -> Result<Option<PathBuf>, StoreError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let there = folder.ancestors().find(|above| above.as_os_str().is_empty() || above.symlink_metadata().is_ok());
    let there = there.filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !there.is_dir() {
        let detail = format!("{} is not a folder; choose a place this user can write", there.display());
        return Err(StoreError::Failed { detail });
    }
    access(there, Access::WRITE_OK | Access::EXEC_OK).map_err(|error| unusable(there)(error.into()))?;
    let place = if there == folder { resolve(folder, path)? } else { path.to_owned() };
    let mounts = mounts();
    let mounted = if there == folder { place.clone() } else { there.canonicalize().map_err(unusable(there))? };
    require_local(&mounts, &mounted)?;
    if place.file_name().is_none() {
        return Err(StoreError::Failed { detail: format!("{} names no file", place.display()) });
    }
    if place.exists() {
        require_one_name(&mounts, &place)?;
        return Ok(Some(place));
    }
    if std::fs::metadata(lock_path(&place)).is_ok_and(|lock| lock.len() > 0) {
        return Err(gone(&place));
    }
    Ok(None)
}

/// Says who holds a database, as far as this process can see. The lock itself is not touched: whoever starts meanwhile would find it
/// taken.
pub(super) fn holder(path: &Path) -> Option<String> {
    let lock = lock_path(path);
    let text = std::fs::read_to_string(&lock).ok().filter(|text| in_this_boot(text))?;
    let pid: u32 = text.lines().next()?.parse().ok()?;
    let held = || format!("{} is held by another process (pid {pid})", path.display());
    match std::fs::read_dir(format!("/proc/{pid}/fd")) {
        Ok(open) => open
            .filter_map(Result::ok)
            .any(|descriptor| std::fs::read_link(descriptor.path()).is_ok_and(|file| file == lock))
            .then(held),
        // It runs, and is another user's.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Some(held()),
        Err(_) => None,
    }
}

fn require_local(mounts: &str, path: &Path) -> Result<(), StoreError> {
    let Some(kind) = network_filesystem(mounts, path) else { return Ok(()) };
    let detail = format!("{} is on a network filesystem ({kind}); put the store on a local disk", path.display());
    Err(StoreError::Failed { detail })
}

/// Where a store was, no new one is begun: whoever finds an empty one would take it for all there was.
fn gone(path: &Path) -> StoreError {
    let detail = format!(
        "{} is gone, and {} says that a store was there; put it back, or restore a backup; to begin an empty one, remove the latter",
        path.display(),
        lock_path(path).display()
    );
    StoreError::Failed { detail }
}

/// Refuses what is not there, which SQLite would create, and what must not be opened by this name.
pub(super) fn require_file(path: &Path) -> Result<(), StoreError> {
    if path.is_file() {
        let path = path.canonicalize().map_err(unusable(path))?;
        return require_one_name(&mounts(), &path);
    }
    let detail = format!("{} does not exist; run a session first or name the right store", path.display());
    Err(StoreError::Failed { detail })
}

fn mounts() -> String {
    std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default()
}

/// The write-ahead log lies beside one name: by another one, what is not yet in the database is missed, or written over.
fn require_one_name(mounts: &str, path: &Path) -> Result<(), StoreError> {
    let names = path.metadata().map_or(1, |metadata| metadata.nlink());
    let detail = if names > 1 {
        format!(
            "{} is one of {names} names of the same file (hard links), and its write-ahead log lies beside one of them only; \
             keep that one and remove the others, and make copies with `provost backup`",
            path.display()
        )
    } else if is_mount(mounts, path) {
        format!(
            "{} is mounted as a single file, without its write-ahead log; mount the folder it lies in",
            path.display()
        )
    } else {
        return Ok(());
    };
    Err(StoreError::Failed { detail })
}

fn lock_inode(path: &Path) -> Result<InodeLock, StoreError> {
    match InodeLock::take(path).map_err(unusable(path))? {
        LockAttempt::Locked(lock) => Ok(lock),
        LockAttempt::Held => {
            let path = path.display();
            let detail =
                format!("{path} is held by another process, under another name; stop it, or let that process do it");
            Err(StoreError::Held { detail })
        }
    }
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
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// `<file>.lock`, held. It tells who holds the database or did last: the process's id and, in a second line, the run of the machine.
struct LockFile {
    file: File,
    /// What it told; nothing where there never was a store.
    last: String,
}

impl LockFile {
    /// Takes it, or names who holds it.
    fn take(path: &Path) -> Result<Self, StoreError> {
        let lock_path = lock_path(path);
        let mut file = private().open(&lock_path).map_err(unusable(&lock_path))?;
        let locked = file.try_lock();
        let mut last = String::new();
        // Whoever holds it may be about to write it.
        let read = file.read_to_string(&mut last);
        match locked {
            Ok(()) => read.map(|_| Self { file, last }).map_err(unusable(&lock_path)),
            Err(TryLockError::WouldBlock) => {
                let holder = last.lines().next().unwrap_or("unknown");
                let detail = format!(
                    "{} is held by another process (pid {holder}); stop it, or let that process do it",
                    path.display()
                );
                Err(StoreError::Held { detail })
            }
            Err(TryLockError::Error(error)) => Err(unusable(&lock_path)(error)),
        }
    }
}

/// Whether whoever holds the database, or did last, does so in this run of the machine.
pub(super) fn same_boot(path: &Path) -> bool {
    std::fs::read_to_string(lock_path(path)).is_ok_and(|holder| in_this_boot(&holder))
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

/// Whether something is mounted at the very path.
fn is_mount(mounts: &str, path: &Path) -> bool {
    let point = |line: &str| line.split(' ').nth(4).map(unescape);
    mounts.lines().filter_map(point).any(|point| Path::new(&point) == path)
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
    use crate::sqlite::inode::is_held_here;

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
        assert!(!is_held_here(&path));
        let place = claim(&path, true).unwrap();
        assert!(is_held_here(&path) && same_boot(&path));
        drop(place);
        assert!(!is_held_here(&path), "its number still stands in the file");
    }

    #[test]
    fn a_file_mounted_by_itself_is_refused() {
        let mounts = format!("{MOUNTS}34 22 254:0 /data/p.db /srv/one\\040file.db rw - ext4 /dev/vda rw\n");
        let error = require_one_name(&mounts, Path::new("/srv/one file.db")).unwrap_err().to_string();
        assert!(error.contains("mount the folder"), "{error}");
        assert_eq!(require_one_name(&mounts, Path::new("/srv/p.db")), Ok(()));
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
