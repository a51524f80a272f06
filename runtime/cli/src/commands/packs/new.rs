//! `provost packs new`: a pack to begin with, whose scenarios pass.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::args::NewPackArgs;
use crate::output::Output;
use crate::starters::{StarterFile, files};

/// Longest name of a pack.
const NAME_MAX: usize = 64;

pub(super) fn run(args: &NewPackArgs, output: Output) -> Result<ExitCode> {
    let folder = &args.path;
    let name = folder.file_name().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-');
    if name.is_empty() || name.len() > NAME_MAX || !name.chars().all(plain) {
        bail!("`{name}` cannot be a pack's name; use a-z, 0-9, _ and -, at most {NAME_MAX}");
    }
    if folder.symlink_metadata().is_ok() {
        bail!("{} is there already and is never written over; take another name, or move it away", folder.display());
    }
    for StarterFile { path, text } in files(args.like) {
        write(&folder.join(path), &named(path, text, args.like.pack(), name))?;
    }
    let shown = folder.display();
    let hint = format!(
        "wrote {shown}\n  provost packs test {shown}     plays its scenarios\n  provost packs show {shown}     draws its agents"
    );
    output.result(&json!({"pack": name, "folder": folder}), &hint);
    Ok(ExitCode::SUCCESS)
}

/// The text of a file in a pack of another name: the manifest says the name, a README speaks of its folder.
fn named(path: &str, text: &str, from: &str, to: &str) -> String {
    match path {
        "pack.yaml" => text.replacen(&format!("pack: {from}\n"), &format!("pack: {to}\n"), 1),
        "README.md" => text.replace(&format!("skills/{from}"), to).replace(from, to),
        _ => text.to_owned(),
    }
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
