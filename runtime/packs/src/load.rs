//! Loading a pack: all or nothing, with every error.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use provost_domain::ids::Digest;
use provost_domain::pack::Pack;
use provost_domain::tool::Catalog;

use crate::agent::{self, AgentFile};
use crate::check;
use crate::error::{PackError, PackErrors};
use crate::raw::RawPack;
use crate::resolve;
use crate::source::Source;

/// Most agents of one pack, and most fragments.
const FILES_MAX: usize = 64;

/// What a pack may refer to outside itself.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The configured tools.
    pub catalog: &'a Catalog,
    /// The configured models' names.
    pub models: &'a BTreeSet<String>,
}

/// Loads the pack in a folder.
///
/// # Errors
/// Everything that is wrong with it, each with file, line, column and hint.
pub fn load(folder: &Path, known: Known<'_>) -> Result<Pack, PackErrors> {
    let mut errors = Vec::new();
    let mut keep = |result: Result<Source, PackError>| result.map_err(|error| errors.push(error)).ok();
    let manifest = keep(Source::read(&folder.join("pack.yaml")));
    let fragments: BTreeMap<String, Source> = entries(&folder.join("shared"))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .filter_map(|path| Some((stem(&path), keep(Source::read(&path))?)))
        .collect();
    let files: Vec<AgentFile> = entries(&folder.join("agents"))
        .into_iter()
        .filter(|path| path.is_dir())
        .filter_map(|path| {
            let manifest = keep(Source::read(&path.join("agent.yaml")));
            let prompt_path = path.join("SKILL.md");
            let prompt = if prompt_path.exists() { keep(Source::read(&prompt_path)) } else { None };
            Some(AgentFile { name: stem(&path), manifest: manifest?, prompt })
        })
        .collect();
    let raw: Option<RawPack> = manifest.as_ref().and_then(|m| m.yaml().map_err(|error| errors.push(error)).ok());
    let agents: Vec<_> = files
        .into_iter()
        .filter_map(|file| agent::parse(file, &fragments).map_err(|mut found| errors.append(&mut found)).ok())
        .collect();
    let (Some(manifest), Some(raw)) = (manifest, raw) else { return Err(PackErrors(errors)) };
    if !errors.is_empty() {
        return Err(PackErrors(errors));
    }
    errors.extend(check::all(&manifest, &raw, &agents, known));
    let digest = digest(&manifest, &agents, &fragments);
    match resolve::pack(&manifest, raw, agents, digest) {
        Ok(pack) if errors.is_empty() => Ok(pack),
        Ok(_) => Err(PackErrors(errors)),
        Err(more) => {
            errors.extend(more);
            Err(PackErrors(errors))
        }
    }
}

/// A folder's entries in order; a folder that is not there has none.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(listed) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = listed.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    paths.truncate(FILES_MAX);
    paths
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The digest of everything that was read: what a session pins.
fn digest(manifest: &Source, agents: &[agent::Agent], fragments: &BTreeMap<String, Source>) -> Digest {
    let mut parts: Vec<&[u8]> = vec![manifest.text.as_bytes()];
    for agent in agents {
        parts.extend([agent.name.as_bytes(), agent.manifest.text.as_bytes(), agent.prompt.as_bytes()]);
    }
    for (name, fragment) in fragments {
        parts.extend([name.as_bytes(), fragment.text.as_bytes()]);
    }
    Digest::of_parts(&parts)
}
