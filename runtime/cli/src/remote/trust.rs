//! Whether what lies beside a store was put there by whoever owns the store: in a folder that others may write, anybody could.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use rustix::process::geteuid;

/// Others may write.
const OTHERS: u32 = 0o002;
/// The group or others may write.
const SHARED: u32 = 0o022;
/// Where it is set, only a file's owner renames or removes it.
const STICKY: u32 = 0o1000;

/// Where a store is, with what was found there.
#[derive(Debug)]
struct StoreSite {
    folder: Metadata,
    store: Option<Metadata>,
}

impl StoreSite {
    fn at(store: &Path) -> Result<Option<Self>> {
        let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = match folder.metadata() {
            Ok(folder) => folder,
            // It is made for this user alone.
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("looking at {}", folder.display())),
        };
        Ok(Some(Self { folder, store: store.metadata().ok() }))
    }
}

/// Refuses a store that somebody else could replace, or has.
///
/// # Errors
/// Others may write its folder or its file, or it is another user's file in a folder for all.
pub(crate) fn require_own(store: &Path) -> Result<()> {
    let Some(found) = StoreSite::at(store)? else { return Ok(()) };
    check(&found, geteuid().as_raw()).with_context(|| format!("{} is not safe", store.display()))
}

fn check(found: &StoreSite, me: u32) -> Result<()> {
    let mode = found.folder.mode();
    if mode & OTHERS != 0 && mode & STICKY == 0 {
        bail!(
            "every user may replace the files of its folder; `chmod o-w` the folder, or name one in it, which is made for you alone"
        );
    }
    let Some(store) = &found.store else { return Ok(()) };
    if store.mode() & SHARED != 0 {
        bail!("others may write it; `chmod go-w` it");
    }
    if mode & OTHERS != 0 && store.uid() != me {
        bail!("in a folder for all it belongs to user {}, not to you ({me}); name a store of your own", store.uid());
    }
    Ok(())
}

/// Refuses a file beside a store that is not by the store's owner alone.
///
/// # Errors
/// It is another user's, others may write it, or it has a second name.
pub(crate) fn require_by_owner(store: &Path, file: &Metadata) -> Result<()> {
    require_own(store)?;
    let owner = store.metadata()?.uid();
    if file.uid() != owner {
        bail!("it belongs to user {}, and the store to user {owner}", file.uid());
    }
    if !file.is_file() || file.nlink() != 1 || file.mode() & SHARED != 0 {
        bail!("it is not a file of the store's owner alone");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// What is said of a store of this mode in a folder of this mode, by somebody who owns both or neither.
    fn said(folder_mode: u32, store_mode: u32, is_own: bool) -> String {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("p.db");
        fs::write(&store, "").unwrap();
        fs::set_permissions(&store, fs::Permissions::from_mode(store_mode)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(folder_mode)).unwrap();
        let me = geteuid().as_raw() + u32::from(!is_own);
        check(&StoreSite::at(&store).unwrap().unwrap(), me).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn nobody_else_could_have_put_it_there() {
        assert_eq!(said(0o700, 0o600, true), "");
        assert_eq!(said(0o755, 0o644, true), "");
        assert_eq!(said(0o755, 0o600, false), "", "root looks at a service's store");
        assert_eq!(said(0o1777, 0o600, true), "");
        for (folder, store, is_own, part) in [
            (0o777, 0o600, true, "chmod o-w"),
            (0o700, 0o620, true, "chmod go-w"),
            (0o700, 0o602, true, "chmod go-w"),
            (0o1777, 0o600, false, "a store of your own"),
        ] {
            let said = said(folder, store, is_own);
            assert!(said.contains(part), "{folder:o} {store:o}: {said}");
        }
    }

    #[test]
    fn a_planted_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (store, file, link) = (folder.path().join("p.db"), folder.path().join("f"), folder.path().join("l"));
        fs::write(&store, "").unwrap();
        fs::write(&file, "").unwrap();
        let by_owner =
            || require_by_owner(&store, &file.symlink_metadata().unwrap()).map_err(|error| error.to_string());
        assert_eq!(by_owner(), Ok(()));
        fs::hard_link(&file, &link).unwrap();
        assert!(by_owner().is_err());
        fs::remove_file(&link).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o622)).unwrap();
        assert!(by_owner().is_err());
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(require_by_owner(&store, &link.symlink_metadata().unwrap()).is_err());
    }
}
