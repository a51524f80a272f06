//! A small file system in memory for the store, which can be made full and roomy again at once.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Its size while it is roomy: far more than a campaign writes. Only what is written costs memory.
const ROOMY: &str = "4g";
/// What is left when it is full: less than a checkpoint needs.
const LEFT: [u64; 3] = [0, 16 * 1024, 256 * 1024];

/// A mounted file system; unmounted when dropped.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// Mounts one on an empty folder; the error says why it cannot be.
    pub(super) fn mount(folder: &Path) -> Result<Self, String> {
        let options = format!("size={ROOMY},mode=0700");
        run(Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder))?;
        Ok(Self { folder: folder.to_owned() })
    }

    /// Leaves no room, or hardly any. Whether it worked: what is written meanwhile may need a moment more.
    pub(super) fn fill(&self) -> bool {
        LEFT.into_iter().any(|left| self.resize(&(self.used() + left).to_string()).is_ok())
    }

    /// Makes it roomy again.
    pub(super) fn free(&self) {
        self.resize(ROOMY).unwrap();
    }

    fn used(&self) -> u64 {
        let figures = rustix::fs::statvfs(&self.folder).unwrap();
        (figures.f_blocks - figures.f_bfree) * figures.f_frsize
    }

    fn resize(&self, size: &str) -> Result<(), String> {
        run(Command::new("mount").args(["-o", &format!("remount,size={size}")]).arg(&self.folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: whoever still reads there is not waited for.
        drop(run(Command::new("umount").arg("--lazy").arg(&self.folder)));
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}
