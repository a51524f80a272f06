//! What sessions work with: packs, models, tools. A reload replaces it as a whole; nobody works with half of each.
//!
//! | who | which resources |
//! |---|---|
//! | a new session | the present ones |
//! | a live session | those it was taken up with, until it rests |
//! | a session taken up again | the present ones, but always the pack it was opened with |

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use provost_domain::ids::{Digest, PackName};
use provost_domain::outage::OutageBudgets;
use provost_domain::pack::Pack;
use provost_domain::port::Roles;
use provost_domain::request::Offers;
use provost_domain::tool::{Catalog, catalogue_digest};

use crate::gateway::{ModelGateway, ToolGateway};

/// The packs sessions are carried on with.
#[derive(Debug, Clone, Default)]
pub struct Packs {
    /// Those that new sessions are opened from.
    pub present: Vec<Arc<Pack>>,
    /// Other versions, which sessions that are not over were opened with.
    pub pinned: Vec<Arc<Pack>>,
}

impl Packs {
    /// The pack a session was opened with, or the present one of that name, with which its session is then refused.
    pub fn of(&self, digest: Digest, name: &PackName) -> Option<&Arc<Pack>> {
        let mut all = self.present.iter().chain(&self.pinned);
        let same = all.find(|pack| pack.digest == digest && pack.name == *name);
        same.or_else(|| self.present.iter().find(|pack| pack.name == *name))
    }
}

impl From<Vec<Arc<Pack>>> for Packs {
    fn from(present: Vec<Arc<Pack>>) -> Self {
        Self { present, pinned: Vec::new() }
    }
}

/// Packs, models and tools that were checked against each other.
#[derive(Debug)]
pub struct Resources {
    pub(crate) models: ModelGateway,
    pub(crate) tools: ToolGateway,
    pub(crate) catalog: Catalog,
    /// Identifies the catalogue in the logs of sessions.
    pub(crate) catalogue_digest: Digest,
    /// How long calls wait for servers that fail.
    pub(crate) outages: OutageBudgets,
    packs: BTreeMap<PackName, Arc<Pack>>,
    /// Also those of earlier resources: sessions are pinned to the pack they were opened with.
    pinned: HashMap<Digest, Arc<Pack>>,
    /// What the agents of packs are offered, by the packs' digests; worked out once for all their sessions.
    offers: Mutex<HashMap<Digest, Arc<Offers>>>,
}

impl Resources {
    /// From packs and the models and tools they name.
    pub fn new(packs: impl Into<Packs>, models: ModelGateway, tools: ToolGateway) -> Self {
        let Packs { present, pinned } = packs.into();
        let pinned = present.iter().chain(&pinned).map(|pack| (pack.digest, Arc::clone(pack))).collect();
        let packs = present.into_iter().map(|pack| (pack.name.clone(), pack)).collect();
        let catalog = tools.catalog();
        let catalogue_digest = catalogue_digest(&catalog);
        let outages = OutageBudgets {
            models: models.outage_budgets(),
            tools: tools.outage_budgets().clone(),
            ..OutageBudgets::default()
        };
        Self { catalog, catalogue_digest, outages, models, tools, packs, pinned, offers: Mutex::default() }
    }

    /// The same where calls wait so long for servers that fail, if nothing else is written for their model or tool. Zero:
    /// they do not wait.
    #[must_use]
    pub const fn with_outage_budget(mut self, standard: Duration) -> Self {
        self.outages.standard = standard;
        self
    }

    /// The packs new sessions may be opened from, by name.
    pub(crate) fn packs(&self) -> &BTreeMap<PackName, Arc<Pack>> {
        &self.packs
    }

    /// What the agents of a pack are offered.
    pub(crate) fn offers(&self, pack: &Pack, roles: &dyn Roles) -> Arc<Offers> {
        let mut offers = self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        let worked_out = || Arc::new(Offers::of(pack, &self.catalog, roles));
        Arc::clone(offers.entry(pack.digest).or_insert_with(worked_out))
    }

    /// The pack a session was opened with, or the present one of that name, with which its session is then refused.
    pub(crate) fn pinned(&self, digest: Digest, name: &PackName) -> Option<Arc<Pack>> {
        self.pinned.get(&digest).filter(|pack| pack.name == *name).or_else(|| self.packs.get(name)).cloned()
    }
}

/// The resources new sessions get, until a reload replaces them.
#[derive(Debug, Clone)]
pub(crate) struct PresentResources(Arc<RwLock<Arc<Resources>>>);

impl PresentResources {
    pub(crate) fn new(resources: Resources) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(resources))))
    }

    pub(crate) fn get(&self) -> Arc<Resources> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts new resources in the place of the present ones. Packs of sessions that may still live are kept: as many as
    /// there were different ones since the start.
    pub(crate) fn replace(&self, mut resources: Resources) {
        let mut present = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (digest, pack) in &present.pinned {
            resources.pinned.entry(*digest).or_insert_with(|| Arc::clone(pack));
        }
        *present = Arc::new(resources);
    }
}
