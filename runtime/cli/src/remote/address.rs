//! The daemon's address, in a file beside its store for commands on the same machine.

use std::fs;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

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
    /// Writes it. Only the process that holds the store does, so that nobody else writes it at the same time.
    pub(crate) fn write(store: &Path, listening: SocketAddr) -> io::Result<Self> {
        let path = beside(store);
        let fresh = path.with_extension("address.new");
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        writeln!(file, "{}", url(listening))?;
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
pub(crate) fn read(store: &Path) -> Option<String> {
    fs::read_to_string(beside(store)).ok().map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn it_is_there_for_its_owner_as_long_as_the_daemon_is() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("p.db");
        let address = AddressFile::write(&store, SocketAddr::from(([0, 0, 0, 0], 7))).unwrap();
        assert_eq!(read(&store).as_deref(), Some("http://127.0.0.1:7"));
        assert_eq!(fs::metadata(beside(&store)).unwrap().permissions().mode() & 0o777, 0o600);
        drop(address);
        assert_eq!(read(&store), None);
        assert_eq!(url("[::]:7".parse().unwrap()), "http://[::1]:7");
    }
}
