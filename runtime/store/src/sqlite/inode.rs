//! The lock on a database's own inode. A lock file beside the path keeps out who comes by the same name; this lock also keeps
//! out who comes by another one: a hard link, or a mount of the file elsewhere.
//!
//! A descriptor, once opened, stays open for the life of this process: to close any descriptor of a file gives up the locks that
//! SQLite holds on it, because those belong to the process. Only a deleted file's descriptor is closed.

use std::collections::BTreeMap;
use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::OFlags;

/// A file, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Inode {
    device: u64,
    number: u64,
}

impl Inode {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), number: metadata.ino() }
    }
}

/// A descriptor that this process opened, and whether it holds the lock with it.
#[derive(Debug)]
struct Descriptor {
    file: File,
    held: bool,
}

/// Process-wide, as the locks are that it protects.
static DESCRIPTORS: Mutex<BTreeMap<Inode, Descriptor>> = Mutex::new(BTreeMap::new());

fn descriptors() -> MutexGuard<'static, BTreeMap<Inode, Descriptor>> {
    // A panic elsewhere cannot leave a half-done change.
    DESCRIPTORS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds a database's inode until it is dropped.
#[derive(Debug)]
pub(super) struct InodeLock {
    pub(super) inode: Inode,
}

/// What came of an attempt to take the lock.
#[derive(Debug)]
pub(super) enum LockAttempt {
    /// It is this value's.
    Locked(InodeLock),
    /// Somebody holds it: another process, or this one.
    Held,
}

impl InodeLock {
    /// Takes the lock of the file at `path`, which is created for this user only when absent. The path's last part must not be a
    /// symbolic link.
    pub(super) fn take(path: &Path) -> io::Result<LockAttempt> {
        let mut descriptors = descriptors();
        descriptors.retain(|_, descriptor| descriptor.held || is_reachable(&descriptor.file));
        let known = path.symlink_metadata().ok().map(|metadata| Inode::of(&metadata));
        if let Some((inode, descriptor)) = known.and_then(|inode| Some((inode, descriptors.get_mut(&inode)?))) {
            if descriptor.held || !try_lock(&descriptor.file)? {
                return Ok(LockAttempt::Held);
            }
            descriptor.held = true;
            return Ok(LockAttempt::Locked(Self { inode }));
        }
        let file = open(path)?;
        let inode = Inode::of(&file.metadata()?);
        if !try_lock(&file)? {
            return Ok(LockAttempt::Held);
        }
        descriptors.insert(inode, Descriptor { file, held: true });
        Ok(LockAttempt::Locked(Self { inode }))
    }
}

impl Drop for InodeLock {
    fn drop(&mut self) {
        let mut descriptors = descriptors();
        let Some(descriptor) = descriptors.get_mut(&self.inode) else { return };
        descriptor.held = false;
        if let Err(error) = descriptor.file.unlock() {
            tracing::warn!(%error, "the database's lock stays until this process ends");
        }
    }
}

/// Whether this process holds the file at `path` for writing, by whatever name.
pub(super) fn is_held_here(path: &Path) -> bool {
    let inode = path.metadata().map(|metadata| Inode::of(&metadata));
    inode.is_ok_and(|inode| descriptors().get(&inode).is_some_and(|descriptor| descriptor.held))
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(path)
}

fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether the file still has a name.
fn is_reachable(file: &File) -> bool {
    file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_locked(attempt: &LockAttempt) -> bool {
        match attempt {
            LockAttempt::Locked(_) => true,
            LockAttempt::Held => false,
        }
    }

    #[test]
    fn one_holder_by_whatever_name_and_then_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("p.db"), folder.path().join("q.db"));
        let first = InodeLock::take(&path).unwrap();
        assert!(is_locked(&first) && is_held_here(&path));
        std::fs::hard_link(&path, &link).unwrap();
        assert!(!is_locked(&InodeLock::take(&link).unwrap()) && is_held_here(&link));
        // Another process has no table of ours: it finds the lock itself.
        let other = File::options().read(true).write(true).open(&link).unwrap();
        assert!(!try_lock(&other).unwrap());
        drop(first);
        assert!(!is_held_here(&path));
        assert!(is_locked(&InodeLock::take(&link).unwrap()));
        assert!(try_lock(&other).unwrap(), "it was given back");
        assert!(!is_locked(&InodeLock::take(&path).unwrap()), "another descriptor holds it");
    }

    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("victim"), folder.path().join("p.db"));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        InodeLock::take(&link).unwrap_err();
        assert!(!path.exists());
    }
}
