//! A file that stands under its name only once it is whole, and never in the place of another.

use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;
use rustix::process::geteuid;

/// What a store and a session's file begin with; a store that was cut short may begin with zeros.
const BEGINNINGS: [&[u8; 16]; 3] = [b"SQLite format 3\0", b"{\"session\":{\"for", &[0; 16]];

/// A file in the making, for this user only; gone when dropped before it was published. Whoever makes it holds its lock, so that what
/// a killed attempt left is told from an attempt under way.
#[derive(Debug)]
pub(crate) struct Fresh {
    path: PathBuf,
    partial: PathBuf,
}

impl Fresh {
    /// Begins an empty file that is to be `path`. What an earlier attempt of this program left in its place is replaced.
    ///
    /// # Errors
    /// Something of that name exists, an attempt is under way, or the place cannot be written.
    pub(crate) fn create(path: &Path) -> Result<(Self, File)> {
        if path.symlink_metadata().is_ok() {
            bail!("{} exists already and is never written over; name another file", path.display());
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        let file = match begin(&partial) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                remove_leftover(&partial)?;
                begin(&partial)
            }
            begun => begun,
        };
        let file = file.with_context(|| format!("{}: choose a place this user can write", partial.display()))?;
        // Only now is it ours to remove.
        Ok((Self { path: path.to_owned(), partial }, file))
    }

    /// Where it is until it is published.
    pub(crate) fn partial(&self) -> &Path {
        &self.partial
    }

    /// Gives it its name. Once this returns, it survives a power loss.
    pub(crate) fn publish(self) -> Result<()> {
        let wrong = || format!("{} is not complete; free space, then try again", self.path.display());
        File::open(&self.partial).and_then(|file| file.sync_all()).with_context(wrong)?;
        self.name().with_context(|| format!("giving {} its name", self.path.display()))?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder).and_then(|folder| folder.sync_all()).with_context(wrong)
    }

    fn name(&self) -> io::Result<()> {
        match renameat_with(CWD, &self.partial, CWD, &self.path, RenameFlags::NOREPLACE) {
            // Not every filesystem can do both at once.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) if self.path.symlink_metadata().is_err() => {
                fs::rename(&self.partial, &self.path)
            }
            other => other.map_err(io::Error::from),
        }
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        // Once published there is nothing of that name.
        drop(fs::remove_file(&self.partial));
    }
}

/// A new file with its lock taken. Somebody may have taken it for a leftover before it was locked: then it is theirs.
fn begin(partial: &Path) -> io::Result<File> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(partial)?;
    let taken = || io::Error::new(io::ErrorKind::ResourceBusy, "another attempt began at the same time");
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(taken()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let (own, named) = (file.metadata()?, partial.symlink_metadata()?);
    if (own.dev(), own.ino()) == (named.dev(), named.ino()) { Ok(file) } else { Err(taken()) }
}

/// Removes what a killed attempt of this program left, and nothing else.
fn remove_leftover(partial: &Path) -> Result<()> {
    let foreign = || {
        format!(
            "{} is in the way and is not what an attempt of this program left; remove it, then try again",
            partial.display()
        )
    };
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = File::options().read(true).custom_flags(flags.bits().cast_signed()).open(partial);
    let mut file = opened.with_context(foreign)?;
    if !is_ours(&file.metadata()?, &mut file)? {
        bail!("{}", foreign());
    }
    match file.try_lock() {
        Ok(()) => Ok(fs::remove_file(partial).with_context(foreign)?),
        Err(TryLockError::WouldBlock) => {
            bail!("{} is being written by another attempt; let it finish", partial.display())
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(foreign),
    }
}

/// Whether a file is this user's alone and begins as what this program writes.
fn is_ours(metadata: &Metadata, file: &mut File) -> io::Result<bool> {
    let private = metadata.is_file() && metadata.nlink() == 1 && metadata.mode() & 0o777 == 0o600;
    if !private || metadata.uid() != geteuid().as_raw() {
        return Ok(false);
    }
    let mut head = Vec::new();
    file.take(16).read_to_end(&mut head)?;
    Ok(BEGINNINGS.iter().any(|beginning| beginning.starts_with(&head)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn place(content: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let partial = folder.path().join("copy.partial");
        fs::write(&partial, content).unwrap();
        fs::set_permissions(&partial, fs::Permissions::from_mode(mode)).unwrap();
        let path = folder.path().join("copy");
        (folder, path)
    }

    #[test]
    fn what_a_killed_attempt_left_is_replaced() {
        for content in [&b""[..], b"SQLite format 3\0...", b"{\"session\":{\"format\":1", &[0; 4096]] {
            let (_folder, path) = place(content, 0o600);
            let (fresh, file) = Fresh::create(&path).unwrap();
            assert_eq!(file.metadata().unwrap().len(), 0);
            fresh.publish().unwrap();
            assert!(path.is_file());
        }
    }

    #[test]
    fn what_is_not_ours_stays() {
        for (content, mode) in [(&b"theirs"[..], 0o600), (b"SQLite format 3\0", 0o644)] {
            let (_folder, path) = place(content, mode);
            let error = format!("{:#}", Fresh::create(&path).unwrap_err());
            assert!(error.contains("copy.partial is in the way") && error.contains("remove it"), "{error}");
            assert_eq!(fs::read(path.with_extension("partial")).unwrap(), content);
        }
        let (folder, path) = place(b"", 0o600);
        let partial = path.with_extension("partial");
        fs::rename(&partial, folder.path().join("victim")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("victim"), &partial).unwrap();
        Fresh::create(&path).unwrap_err();
        assert!(folder.path().join("victim").is_file() && partial.is_symlink());
    }

    #[test]
    fn an_attempt_under_way_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy");
        let (fresh, file) = Fresh::create(&path).unwrap();
        let error = format!("{:#}", Fresh::create(&path).unwrap_err());
        assert!(error.contains("is being written by another attempt"), "{error}");
        drop(file);
        fresh.publish().unwrap();
    }
}
