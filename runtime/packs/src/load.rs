//! Loading a pack: all or nothing, with every error.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use provost_domain::pack::Pack;
use provost_domain::tool::Catalog;

use crate::agent::{self, Agent, Fragments};
use crate::check;
use crate::error::PackErrors;
use crate::folder::Folder;
use crate::form::Log;
use crate::prompt;
use crate::raw::RawPack;
use crate::resolve;

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
    let mut folder = Folder::new(folder);
    let manifest = folder.read("pack.yaml");
    let fragments = fragments(&mut folder);
    let names = folder.names("agents", Path::is_dir);
    let agents: Vec<Agent> =
        names.iter().filter_map(|name| agent::read(name.clone(), &mut folder, &fragments)).collect();
    let Some(manifest) = manifest else { return Err(PackErrors::sorted(folder.errors)) };
    let mut log = Log::new(manifest.path.clone());
    let form = manifest.form::<RawPack>(&mut log);
    let mut errors = std::mem::take(&mut folder.errors);
    errors.append(&mut log.errors);
    let Some((tree, raw)) = form else { return Err(PackErrors::sorted(errors)) };
    errors.extend(check::all(&check::Facts { manifest: &manifest, raw: &raw, agents: &agents, names: &names, known }));
    let pack = resolve::pack(&mut Log::new(manifest.path), &tree, raw, agents, folder.digest());
    match pack {
        Ok(pack) if errors.is_empty() => Ok(pack),
        Ok(_) => Err(PackErrors::sorted(errors)),
        Err(more) => {
            errors.extend(more);
            Err(PackErrors::sorted(errors))
        }
    }
}

/// The shared fragments: `shared/NAME.md`.
fn fragments(folder: &mut Folder) -> Fragments {
    let files = folder.names("shared", |path| path.extension().is_some_and(|extension| extension == "md"));
    let mut fragments = BTreeMap::new();
    for file in files {
        let Some(source) = folder.read(&format!("shared/{file}")) else { continue };
        folder.errors.extend(prompt::check_fragment(&source));
        fragments.insert(file.trim_end_matches(".md").to_owned(), source);
    }
    fragments
}
