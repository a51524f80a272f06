//! The file with the definitions that a person accepted, beside the configuration: reviewed and versioned like it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::definition::Definitions;

/// Largest file that is read, in bytes.
const FILE_MAX: u64 = 8 * 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptedFile {
    tools: Definitions,
}

/// What was accepted; nothing where there is no file. An error says what is wrong with the file.
pub(super) fn load(path: &Path) -> Result<Option<Definitions>, String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let mut text = String::new();
    file.take(FILE_MAX).read_to_string(&mut text).map_err(|error| error.to_string())?;
    let read: AcceptedFile = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    Ok(Some(read.tools))
}

/// Replaces the file as a whole, so that a reader never sees half of it.
pub(super) fn store(path: &Path, tools: Definitions) -> Result<(), String> {
    let text = serde_json::to_string_pretty(&AcceptedFile { tools }).map_err(|error| error.to_string())?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let written = File::create(&name).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&name, path)).map_err(|error| error.to_string())
}
