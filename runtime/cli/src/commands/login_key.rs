//! The key that signs logins of the page: kept beside the store, so that a restart logs nobody out.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};

/// Its file's name.
const NAME: &str = "login.key";

/// The key in the store's folder; made at the first start, readable by its owner only.
pub(super) fn login_key(folder: &Path) -> Result<[u8; 32]> {
    let path = folder.join(NAME);
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    match made {
        Ok(mut file) => {
            let mut key = [0; 32];
            for (to, from) in key.iter_mut().zip(provost_face::random()) {
                *to = from;
            }
            file.write_all(&key).with_context(|| format!("cannot write {}", path.display()))?;
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(&path),
        Err(error) => {
            Err(error).with_context(|| format!("cannot create {}; may this user write there?", path.display()))
        }
    }
}

fn read(path: &Path) -> Result<[u8; 32]> {
    let mut key = [0; 32];
    let mut file = std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let short = || format!("{} is not a key; remove it, the next start makes a new one", path.display());
    file.read_exact(&mut key).with_context(short)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_stays_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let key = login_key(folder.path()).unwrap();
        assert_eq!(login_key(folder.path()).unwrap(), key);
        let mode = std::fs::metadata(folder.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(folder.path().join(NAME), "short").unwrap();
        assert!(login_key(folder.path()).is_err());
    }
}
