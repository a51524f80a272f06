//! The packs of a configuration, and the earlier versions that sessions were opened with.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use provost_agents::StandardRoles;
use provost_domain::pack::Pack;
use provost_domain::port::{KeptPack, PackReads, PackShelf, StoreError};
use provost_domain::tool::Catalog;
use provost_engine::Packs;
use provost_form::FormError;
use provost_mail::StandardForms;
use provost_packs::{Inventory, LoadedPack, load_again, load_with_files};

use super::config::Configuration;
use super::tools::catalog;

/// The packs a configuration names, with their files, checked against its tools and models.
#[derive(Debug)]
pub(crate) struct PackSet {
    catalog: Catalog,
    models: BTreeSet<String>,
    packs: Vec<(Arc<Pack>, KeptPack)>,
    /// What is odd in their files and refuses nothing.
    pub(crate) warnings: Vec<FormError>,
}

impl PackSet {
    /// Loads them. Needs no secret.
    pub(crate) fn load(config: &Configuration) -> Result<Self> {
        let models = config.models.keys().cloned().collect();
        let mut this = Self { catalog: catalog(config)?, models, packs: Vec::new(), warnings: Vec::new() };
        for folder in &config.packs {
            let LoadedPack { pack, files, warnings, .. } = load_with_files(folder, this.known())?;
            this.warnings.extend(warnings);
            let kept = KeptPack { digest: pack.digest, name: pack.name.clone(), files };
            this.packs.push((Arc::new(pack), kept));
        }
        Ok(this)
    }

    /// Those that new sessions are opened from.
    pub(crate) fn present(&self) -> impl Iterator<Item = &Arc<Pack>> {
        self.packs.iter().map(|(pack, _)| pack)
    }

    /// Keeps them, so that their sessions find them whatever is configured later.
    pub(crate) async fn keep(&self, store: &dyn PackShelf) -> Result<()> {
        let kept: Vec<KeptPack> = self.packs.iter().map(|(_, kept)| kept.clone()).collect();
        Ok(store.keep(&kept).await?)
    }

    /// They and the earlier versions that sessions need.
    pub(crate) async fn with_pinned(&self, reads: &dyn PackReads) -> Result<Packs> {
        let present: Vec<Arc<Pack>> = self.present().cloned().collect();
        let damaged =
            |error: &StoreError| tracing::warn!(%error, "a kept pack, which sessions need, is damaged: they wait");
        let needed = reads.needed().await?.into_iter().filter_map(|kept| kept.inspect_err(damaged).ok());
        let earlier = needed.filter(|needed| present.iter().all(|pack| pack.digest != needed.digest));
        Ok(Packs { pinned: earlier.filter_map(|kept| self.earlier(&kept)).collect(), present })
    }

    /// An earlier version, if it fits the tools and models of today. Its sessions say so where it does not.
    fn earlier(&self, kept: &KeptPack) -> Option<Arc<Pack>> {
        let place = PathBuf::from(format!("{}@{}", kept.name, kept.digest.hex()));
        let loaded = load_again(&place, &kept.files, self.known());
        let refused = |errors| tracing::warn!(%errors, "an earlier version of a pack, which sessions need, does not load any more");
        loaded.map(Arc::new).map_err(refused).ok()
    }

    fn known(&self) -> Inventory<'_> {
        Inventory { catalog: &self.catalog, models: Some(&self.models), roles: &StandardRoles, forms: &StandardForms }
    }
}
