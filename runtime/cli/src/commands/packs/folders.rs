//! Which folders a command means, and the tools their packs are read with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};
use provost_agents::StandardRoles;
use provost_mail::StandardForms;
use provost_scenarios::{Suite, SuiteTools};

use super::told::{Weight, tell};
use crate::args::PackArgs;
use crate::output::Output;
use crate::wiring::{self, Configuration};

/// Where the configuration is when nothing else is said.
const CONFIG: &str = "config/provost.yaml";

/// The folders of packs, and the configuration they are read with.
#[derive(Debug)]
pub(super) struct PackFolders {
    pub(super) folders: Vec<PathBuf>,
    /// The configuration that was named; the usual one where no folder was.
    pub(super) config: Option<Configuration>,
    tools: SuiteTools,
}

impl PackFolders {
    pub(super) fn of(args: &PackArgs) -> Result<Self> {
        let usual = args.packs.is_empty().then(|| PathBuf::from(CONFIG));
        let config = args.config.clone().or(usual).map(|path| wiring::config_at(&path)).transpose()?;
        let configured = config.as_ref().map(wiring::catalog).transpose()?.unwrap_or_default();
        let listed = || config.as_ref().map(|config| config.packs.clone()).unwrap_or_default();
        let folders = if args.packs.is_empty() { listed() } else { args.packs.clone() };
        Ok(Self { folders, tools: SuiteTools { configured }, config })
    }

    /// Reads the pack in one of the folders with its scenarios. What is wrong or odd is told with its source.
    pub(super) fn suite(&self, folder: &Path, output: Output) -> Result<Suite> {
        match Suite::read(folder, self.tools.clone(), (Arc::new(StandardRoles), &StandardForms)) {
            Ok(suite) => {
                tell(&suite.warnings(), Weight::Warning, output);
                Ok(suite)
            }
            Err(errors) if output.is_text() => {
                tell(&errors.0, Weight::Error, output);
                bail!("{}: {} error(s)", folder.display(), errors.0.len())
            }
            Err(errors) => Err(errors.into()),
        }
    }
}
