//! Loading a pack: all or nothing, with every error.

use std::path::Path;

use provost_domain::ids::Digest;
use provost_domain::pack::{Pack, PackFiles};
use provost_expr::Scope;
use provost_form::{ErrorLog, FormError, FormErrors};

use crate::agent::{self, Agent, Fragments};
use crate::asking;
use crate::check::{self, PackFacts};
use crate::expand;
use crate::folder::Folder;
use crate::intake::{self, PackIntake, PackTypes};
use crate::inventory::Inventory;
use crate::raw::RawPack;
use crate::resolve;
use crate::rosters;

/// Most agents of one pack: a person has to know what each may do.
const AGENTS_MAX: usize = 64;
/// Most shared fragments of one pack.
const FRAGMENTS_MAX: usize = 64;
/// The pack's own file.
const MANIFEST: &str = "pack.yaml";

/// A pack as it was loaded from its files.
#[derive(Debug)]
pub struct LoadedPack {
    /// What its files mean.
    pub pack: Pack,
    /// The files it was made of.
    pub files: PackFiles,
    /// What is odd in them and refuses nothing, each with file, line, column and hint.
    pub warnings: Vec<FormError>,
    /// The names that an expression about a session of the pack may read, with their types.
    pub scope: Scope,
}

/// A pack that was built, before its files are kept with it.
struct BuiltPack {
    pack: Pack,
    warnings: Vec<FormError>,
    scope: Scope,
}

/// Whether the samples are tried. A version that sessions need loads even where the reading of deliveries has changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SampleTrial {
    Yes,
    No,
}

/// Loads the pack in a folder.
///
/// # Errors
/// Everything that is wrong with it, each with file, line, column and hint.
pub fn load(path: &Path, known: Inventory<'_>) -> Result<Pack, FormErrors> {
    load_with_files(path, known).map(|loaded| loaded.pack)
}

/// The same, with the files it was loaded from and with what is odd in them.
pub fn load_with_files(path: &Path, known: Inventory<'_>) -> Result<LoadedPack, FormErrors> {
    let folder = Folder::read(path);
    let files = folder.all();
    let BuiltPack { pack, warnings, scope } = build(path, folder, files.digest(), known, SampleTrial::Yes)?;
    Ok(LoadedPack { pack, files, warnings: FormErrors::sorted(warnings).0, scope })
}

/// Loads a pack from files read before. `path` only stands in front of mistakes.
pub fn load_again(path: &Path, files: &PackFiles, known: Inventory<'_>) -> Result<Pack, FormErrors> {
    build(path, Folder::of(path, files), files.digest(), known, SampleTrial::No).map(|built| built.pack)
}

fn build(
    path: &Path,
    mut folder: Folder,
    digest: Digest,
    known: Inventory<'_>,
    samples: SampleTrial,
) -> Result<BuiltPack, FormErrors> {
    let fragments = fragments(&mut folder);
    let names = folder.folders("agents", AGENTS_MAX);
    for file in folder.files("agents", AGENTS_MAX) {
        folder.report(&format!("agents/{file}"), "an agent is a folder", "write agents/NAME/agent.yaml");
    }
    for name in names.iter().filter(|name| !check::is_plain(name, "_-") || *name == check::END) {
        folder.report(&format!("agents/{name}"), "no usable name for an agent", "use a-z, 0-9, _ and -, and not `end`");
    }
    let agents: Vec<Agent> =
        names.iter().filter_map(|name| agent::read(name, &mut folder, &fragments, known.roles)).collect();
    let mut log = ErrorLog::new(path.join(MANIFEST));
    let form = folder.file(MANIFEST).and_then(|manifest| manifest.form::<RawPack>(&mut log));
    // Without a manifest the agents are checked all the same.
    let mut raw = form.map_or_else(RawPack::unread, |(_, raw)| raw);
    rosters::read(&mut raw.rosters, &mut folder, &mut log);
    expand::fields(&mut raw, &mut log);
    let facts = PackFacts { raw: &raw, agents: &agents, names: &names, known };
    let mut errors = check::all(facts, &mut log, &mut folder.warnings);
    let scope = check::session_scope(facts);
    let mut pack = resolve::pack(&raw, &agents, digest, known.catalog, &mut log);
    let PackIntake { mappings, schedules } = {
        let types = PackTypes { rosters: &raw.rosters, named: &raw.types };
        intake::superseded(&raw.supersede, pack.as_ref(), &mut log);
        intake::read(&raw.intake, types, pack.as_ref(), known.forms, &mut log)
    };
    if let Some(pack) = &mut pack {
        (pack.intake, pack.schedules) = (mappings, schedules);
    }
    // What stands in for something unreadable must not be taken for a gate rule.
    if let Some(pack) = pack.as_ref().filter(|_| log.errors.is_empty()) {
        errors.append(&mut asking::check(pack, &raw, &agents, known, &mut log));
    }
    errors.append(&mut folder.errors);
    errors.append(&mut log.errors);
    if let Some(pack) = pack.as_ref().filter(|_| errors.is_empty()) {
        errors.append(&mut check::offers(pack, &agents, known));
        if samples == SampleTrial::Yes {
            intake::try_samples(&raw.intake, pack, known.forms, &folder, &mut log);
            errors.append(&mut log.errors);
        }
    }
    match pack {
        Some(pack) if errors.is_empty() => Ok(BuiltPack { pack, warnings: folder.warnings, scope }),
        Some(_) | None => Err(FormErrors::sorted(errors)),
    }
}

/// The shared fragments: `shared/NAME.md`.
fn fragments(folder: &mut Folder) -> Fragments {
    let files = folder.files("shared", FRAGMENTS_MAX);
    let fragment = |file: &String| {
        let name = file.strip_suffix(".md")?.to_owned();
        Some((name, folder.find(&format!("shared/{file}"))?))
    };
    files.iter().filter_map(fragment).collect()
}
