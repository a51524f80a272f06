//! A pack with its tools and scenarios. Everything is read and checked before anything is played, and all errors come at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use provost_domain::ids::ToolName;
use provost_domain::pack::Pack;
use provost_domain::port::{Clock, DeliveryForms, Roles};
use provost_domain::time::Timestamp;
use provost_domain::tool::Catalog;
use provost_form::{ErrorLog, FormError, FormErrors, Position, TextFile};
use provost_packs::{Inventory, LoadedPack, load_with_files};
use provost_tools::ToolsConfig;

use crate::coverage::{Coverage, PackPlace};
use crate::play::{PlayParts, Playback, play};
use crate::scenario::{Scenario, ScenarioReader};

/// The file of a pack that declares the tools its scenarios play, as a configuration's `tools` does.
pub const TOOLS_FILE: &str = "tests/tools.yaml";
/// What the names of scripts end with: they lie beside the scenarios and are none.
const SCRIPT: &str = ".script.yaml";
/// Most scenarios of one pack: each plays a whole session.
const SCENARIOS_MAX: usize = 256;

/// The tools that a pack is read with.
#[derive(Debug, Clone, Default)]
pub struct SuiteTools {
    /// The tools of a configuration, if one was named. A server that it has stands in the place of the pack's own one.
    pub configured: Catalog,
}

/// A pack that can be played.
#[derive(Debug)]
pub struct Suite {
    /// The pack as it was loaded, with what is odd in its files.
    pub loaded: LoadedPack,
    /// The tools that its agents have.
    pub catalog: Catalog,
    folder: PathBuf,
    pack: Arc<Pack>,
    roles: Arc<dyn Roles>,
    scenarios: Vec<Scenario>,
}

/// What came of all scenarios of a pack.
#[derive(Debug)]
pub struct SuiteResult {
    /// The pack's name.
    pub pack: String,
    /// Each scenario, in the order of their files.
    pub playbacks: Vec<Playback>,
    /// What none of them reached.
    pub missing: Vec<PackPlace>,
}

impl SuiteResult {
    /// Whether every scenario came to what it expects.
    pub fn passed(&self) -> bool {
        self.playbacks.iter().all(|playback| playback.difference.is_none())
    }
}

impl Suite {
    /// Reads the pack in a folder with its scenarios.
    ///
    /// # Errors
    /// Everything that is wrong with the pack; or, where it loads, with its tools and scenarios.
    pub fn read(
        folder: &Path,
        tools: SuiteTools,
        (roles, forms): (Arc<dyn Roles>, &dyn DeliveryForms),
    ) -> Result<Self, FormErrors> {
        let catalog = declared(folder, tools.configured)?;
        let known = Inventory { catalog: &catalog, models: None, roles: &*roles, forms };
        let loaded = load_with_files(folder, known)?;
        let (pack, files) = (Arc::new(loaded.pack.clone()), &loaded.files.0);
        let reader = ScenarioReader { pack: &pack, catalog: &catalog, scope: &loaded.scope, files, folder };
        let (mut scenarios, mut errors) = (Vec::new(), Vec::new());
        let is_scenario = |path: &&String| {
            let name = path.strip_prefix("tests/").and_then(|name| name.strip_suffix(".yaml"));
            name.is_some_and(|name| !name.contains('/')) && path.as_str() != TOOLS_FILE && !path.ends_with(SCRIPT)
        };
        for path in files.keys().filter(is_scenario) {
            let file = TextFile { path: folder.join(path), text: files.get(path).cloned().unwrap_or_default() };
            let mut log = ErrorLog::new(file.path.clone());
            scenarios.extend(reader.read(&file, &mut log));
            errors.append(&mut log.errors);
        }
        if scenarios.len() > SCENARIOS_MAX {
            let message = format!("holds {} scenarios, over the limit of {SCENARIOS_MAX}", scenarios.len());
            errors.push(FormError::at(&folder.join("tests"), Position::default(), message, "split the pack"));
        }
        if errors.is_empty() {
            Ok(Self { loaded, catalog, folder: folder.to_owned(), pack, roles, scenarios })
        } else {
            Err(FormErrors::sorted(errors))
        }
    }

    /// What is tried.
    pub fn pack(&self) -> &Arc<Pack> {
        &self.pack
    }

    /// What is odd and refuses nothing: of the pack's files, and that nothing shows how it acts.
    pub fn warnings(&self) -> Vec<FormError> {
        let acts = |name: &ToolName| self.catalog.get(name).is_some_and(|spec| spec.changes_world());
        let untried = self.scenarios.is_empty() && self.pack.agents.values().flat_map(|agent| &agent.tools).any(acts);
        let untried = untried.then(|| {
            let hint = "write one: see the page on packs, or `provost packs new NAME`";
            let message = "the pack changes the world and has no scenario that shows how";
            FormError::at(&self.folder.join("tests"), Position::default(), message, hint)
        });
        self.loaded.warnings.iter().cloned().chain(untried).collect()
    }

    /// Plays every scenario, one after the other. Blocks; must not be called on a thread of an async runtime.
    pub fn play(&self) -> SuiteResult {
        let parts =
            PlayParts { pack: Arc::clone(&self.pack), catalog: self.catalog.clone(), roles: Arc::clone(&self.roles) };
        let playbacks: Vec<_> = self.scenarios.iter().map(|scenario| play(&parts, scenario)).collect();
        let mut coverage = Coverage::default();
        for playback in &playbacks {
            coverage.add(&playback.coverage);
        }
        SuiteResult { pack: self.pack.name.to_string(), playbacks, missing: coverage.missing(&self.pack) }
    }
}

/// The tools of the pack's own file, under those of the configuration.
fn declared(folder: &Path, configured: Catalog) -> Result<Catalog, FormErrors> {
    let path = folder.join(TOOLS_FILE);
    if !path.exists() {
        return Ok(configured);
    }
    let one = |error| FormErrors(vec![error]);
    let file = TextFile::read(&path).map_err(one)?;
    let mut log = ErrorLog::new(path.clone());
    let section = file.form::<ToolsConfig>(&mut log).map(|(_, section)| section);
    let Some(section) = section.filter(|_| log.errors.is_empty()) else { return Err(FormErrors::sorted(log.errors)) };
    let clock: Arc<dyn Clock> = Arc::new(Standstill);
    let built = section.open_without_secrets().and_then(|set| set.build(&clock));
    let unusable = |error: provost_tools::ToolsError| {
        one(FormError::at(&path, Position::default(), error.to_string(), "declare the tools as a configuration does"))
    };
    let server = |name: &ToolName| name.as_str().split_once(':').map(|(server, _)| server.to_owned());
    let own = built.map_err(unusable)?.into_iter().map(|tool| tool.spec().clone());
    let mut catalog = configured;
    let servers: Vec<_> = catalog.keys().filter_map(server).collect();
    for spec in own.filter(|spec| server(&spec.name).is_none_or(|own| !servers.contains(&own))) {
        catalog.insert(spec.name.clone(), Arc::new(spec));
    }
    Ok(catalog)
}

/// A clock for tools that are looked at and never called.
#[derive(Debug)]
struct Standstill;

impl Clock for Standstill {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }
}
