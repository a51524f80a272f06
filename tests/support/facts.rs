//! What decisions are made from, in tests without an engine.

use std::sync::Arc;

use async_trait::async_trait;
use provost_agents::StandardRoles;
use provost_domain::citation::OlderResults;
use provost_domain::decide::{Facts, InputDigests};
use provost_domain::ids::Fence;
use provost_domain::model::ModelRequest;
use provost_domain::pack::Pack;
use provost_domain::port::{ModelProvider, Roles as _};
use provost_domain::request::Offers;
use provost_domain::time::Timestamp;
use provost_domain::tool::{Catalog, Contents, catalogue_digest};
use provost_engine::ModelGateway;

use crate::model::Answer;

/// A pack, tools, the shipped roles and a model as the stub is one, for decisions.
#[derive(Debug)]
pub struct DecisionDesk {
    /// The pack.
    pub pack: Pack,
    /// The tools.
    pub catalog: Catalog,
    models: ModelGateway,
    offers: Offers,
    contents: Contents,
    older: OlderResults,
}

/// A model that is not asked.
#[derive(Debug)]
struct Unasked;

#[async_trait]
impl ModelProvider for Unasked {
    async fn ask(&self, _request: &ModelRequest, _body: &[u8]) -> Answer {
        std::future::pending().await
    }
}

impl DecisionDesk {
    /// For this pack and these tools.
    pub fn new(pack: Pack, catalog: Catalog) -> Self {
        let models = ModelGateway::default().with("stub", Arc::new(Unasked), provost_engine::ModelLimits::default());
        let offers = Offers::of(&pack, &catalog, &StandardRoles);
        Self { pack, catalog, models, offers, contents: Contents::default(), older: OlderResults::new() }
    }

    /// The facts of one moment.
    pub fn facts(&self, now: Timestamp, fence: Fence) -> Facts<'_> {
        Facts {
            now,
            fence,
            since: now,
            pack: &self.pack,
            catalog: &self.catalog,
            older: &self.older,
            roles: &StandardRoles,
            inputs: InputDigests { catalogue: catalogue_digest(&self.catalog), roles: StandardRoles.digest() },
            models: &self.models,
            offers: &self.offers,
            contents: &self.contents,
            outages: provost_domain::outage::OutageBudgets::NONE,
            obstacles: provost_domain::projection::Obstacles::NONE,
        }
    }
}
