//! The daemon's address, in a file beside its store for commands on the same machine. It names the daemon's process, so that nobody
//! sends a token to whatever listens there once the daemon is gone.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustix::fs::OFlags;

use super::trust::require_by_owner;

/// Far more than an address and a process, in bytes.
const FILE_MAX: u64 = 4096;

/// The file; it goes with this value.
#[derive(Debug)]
pub(crate) struct AddressFile(PathBuf);

fn beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(".address");
    PathBuf::from(name)
}

/// Where callers on this machine reach a socket.
fn url(listening: SocketAddr) -> String {
    let mut reached = listening;
    if listening.ip().is_unspecified() {
        reached.set_ip(if listening.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    format!("http://{reached}")
}

impl AddressFile {
    /// Writes it. Only the process that holds the store does, so that nobody else writes it at the same time. What stands in its way
    /// is removed, never followed.
    pub(crate) fn write(store: &Path, listening: SocketAddr) -> io::Result<Self> {
        let path = beside(store);
        let fresh = path.with_extension("address.new");
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(&fresh)?;
        let process = process(std::process::id()).unwrap_or_default();
        writeln!(file, "{}\n{process}", url(listening))?;
        fs::rename(&fresh, &path)?;
        Ok(Self(path))
    }
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!(path = %self.0.display(), %error, "removing the address file");
        }
    }
}

/// The address of the daemon that holds a store, if it is one and this user may know.
///
/// # Errors
/// The file is not by the store's owner, or the process that it names does not run here.
pub(crate) fn read(store: &Path) -> Result<Option<String>> {
    let path = beside(store);
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match File::options().read(true).custom_flags(flags.bits().cast_signed()).open(&path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => return Ok(None),
        Err(error) => return Err(error).with_context(|| distrust(&path)),
    };
    require_by_owner(store, &file.metadata()?).with_context(|| distrust(&path))?;
    let mut text = String::new();
    file.take(FILE_MAX).read_to_string(&mut text).with_context(|| distrust(&path))?;
    let mut lines = text.lines();
    let (address, named) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let pid = named.split(' ').next().and_then(|pid| pid.parse().ok());
    let runs = pid.and_then(process).is_some_and(|process| process == named);
    if !runs {
        bail!(
            "{} names a process that does not run here; if the daemon runs elsewhere, in another container for example, name it with \
             `--server URL`",
            path.display()
        );
    }
    Ok(Some(address.to_owned()))
}

fn distrust(path: &Path) -> String {
    format!(
        "{} is not trusted, and no token is sent to the address in it; name the daemon with `--server URL`",
        path.display()
    )
}

/// Names a process of this machine for good: its id, when it started, and the run of the machine. `None` where none has this id.
fn process(id: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in brackets may hold anything; the start is the 20th field after it.
    let (_, fields) = stat.rsplit_once(')')?;
    let started_at = fields.split_ascii_whitespace().nth(19)?;
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(format!("{id} {started_at} {}", boot.trim()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn place() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("p.db");
        fs::write(&store, "").unwrap();
        (folder, store)
    }

    #[test]
    fn it_is_there_for_its_owner_as_long_as_the_daemon_is() {
        let (_folder, store) = place();
        let address = AddressFile::write(&store, SocketAddr::from(([0, 0, 0, 0], 7))).unwrap();
        assert_eq!(read(&store).unwrap().as_deref(), Some("http://127.0.0.1:7"));
        assert_eq!(fs::metadata(beside(&store)).unwrap().permissions().mode() & 0o777, 0o600);
        drop(address);
        assert_eq!(read(&store).unwrap(), None);
        assert_eq!(url("[::]:7".parse().unwrap()), "http://[::1]:7");
    }

    #[test]
    fn a_planted_link_is_neither_written_through_nor_read() {
        let (folder, store) = place();
        let victim = folder.path().join("victim");
        fs::write(&victim, "mine").unwrap();
        for name in ["p.db.address", "p.db.address.new"] {
            std::os::unix::fs::symlink(&victim, folder.path().join(name)).unwrap();
        }
        let error = format!("{:#}", read(&store).unwrap_err());
        assert!(error.contains("no token is sent"), "{error}");
        let _address = AddressFile::write(&store, SocketAddr::from(([127, 0, 0, 1], 7))).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
        assert_eq!(read(&store).unwrap().as_deref(), Some("http://127.0.0.1:7"));
    }

    #[test]
    fn no_token_goes_to_the_address_of_a_process_that_is_gone() {
        let (_folder, store) = place();
        let own = process(std::process::id()).unwrap();
        let (id, rest) = own.split_once(' ').unwrap();
        // Its id belongs to another process by now, or to none; or the file says none.
        for named in [format!("{id} 1{rest}"), format!("4194305 {rest}"), String::new(), "x".to_owned()] {
            fs::write(beside(&store), format!("http://127.0.0.1:7\n{named}\n")).unwrap();
            fs::set_permissions(beside(&store), fs::Permissions::from_mode(0o600)).unwrap();
            let error = format!("{:#}", read(&store).unwrap_err());
            assert!(error.contains("does not run here") && error.contains("--server"), "{error}");
        }
    }
}
