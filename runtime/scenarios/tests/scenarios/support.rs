//! A shipped pack in a folder of its own, with changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use provost_agents::StandardRoles;
use provost_form::FormErrors;
use provost_mail::StandardForms;
use provost_scenarios::{Suite, SuiteResult, SuiteTools};
use tempfile::TempDir;

pub(crate) fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

pub(crate) fn read(folder: &Path) -> Result<Suite, FormErrors> {
    Suite::read(folder, SuiteTools::default(), (Arc::new(StandardRoles), &StandardForms))
}

/// Plays the pack in a folder.
#[track_caller]
pub(crate) fn played(folder: &Path) -> SuiteResult {
    let suite = read(folder);
    suite.unwrap_or_else(|errors| panic!("{errors}")).play()
}

/// What failed, as `FILE:LINE: message`, file names without their folder.
pub(crate) fn failed(result: &SuiteResult) -> Vec<String> {
    let told = |playback: &provost_scenarios::Playback| {
        let difference = playback.difference.as_ref()?;
        let file = difference.file.file_name().unwrap().to_string_lossy().into_owned();
        Some(format!("{file}:{}: {}", difference.line, difference.message))
    };
    result.playbacks.iter().filter_map(told).collect()
}

/// A copy of a shipped pack with only these scenarios; all where none is named.
pub(crate) fn copied(pack: &str, only: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&shipped(pack), folder.path());
    let tests = folder.path().join("tests");
    for entry in fs::read_dir(&tests).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        let is_scenario = !name.ends_with(".script.yaml") && name != "tools.yaml";
        if is_scenario && !only.is_empty() && !only.contains(&name.as_str()) {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Replaces a text in a file.
#[track_caller]
pub(crate) fn change(folder: &Path, file: &str, from: &str, to: &str) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} does not hold {from}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}
