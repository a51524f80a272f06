//! The shipped pack, changed for a test.

use std::path::{Path, PathBuf};

/// Where it lies.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../skills/incident").canonicalize().unwrap()
}

/// Copies it to `to`; `change` is given each file's path and text.
pub fn copy(to: &Path, change: &dyn Fn(&Path, String) -> String) {
    copy_folder(&folder(), to, change);
}

fn copy_folder(from: &Path, to: &Path, change: &dyn Fn(&Path, String) -> String) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target, change);
        } else {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            std::fs::write(target, change(&entry.path(), text)).unwrap();
        }
    }
}
