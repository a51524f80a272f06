//! A file that stands under its name only once it is whole, and never in the place of another.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

/// A file in the making, for this user only; gone when dropped before it was published.
#[derive(Debug)]
pub(crate) struct Fresh {
    path: PathBuf,
    partial: PathBuf,
}

impl Fresh {
    /// Begins an empty file that is to be `path`.
    ///
    /// # Errors
    /// Something of that name exists, or the place cannot be written.
    pub(crate) fn create(path: &Path) -> Result<(Self, File)> {
        if path.symlink_metadata().is_ok() {
            bail!("{} exists already and is never written over; name another file", path.display());
        }
        let mut name = path.as_os_str().to_owned();
        name.push(".partial");
        let partial = PathBuf::from(name);
        let file = File::options().write(true).create_new(true).mode(0o600).open(&partial);
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => anyhow::anyhow!(
                "{} is left of an attempt that was cut short, unless one is under way; remove it, then try again",
                partial.display()
            ),
            _ => {
                anyhow::Error::new(error).context(format!("{}: choose a place this user can write", partial.display()))
            }
        })?;
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
