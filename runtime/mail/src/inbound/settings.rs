//! How deliveries are taken, and what intake stands on.

use std::collections::BTreeMap;
use std::sync::Arc;

use prometheus::Registry;
use provost_domain::ids::{Digest, PackName};
use provost_domain::port::{Clock, Deliveries, DeliveryReads};
use provost_engine::Engine;

use super::formats::DeliveryFormat;
use super::signature::SignatureScheme;

/// How deliveries of one format are taken.
#[derive(Debug, Clone)]
pub struct FormatSettings {
    /// The packs of the sessions they open: the first that takes a delivery counts.
    pub packs: Vec<PackName>,
    /// Digests of the keys that let a sender in without a token, by the sender's name.
    pub keys: BTreeMap<String, Digest>,
    /// How their senders sign; without it a key or a token lets them in.
    pub signature: Option<SignatureScheme>,
}

impl FormatSettings {
    /// Deliveries for one pack, whose senders are known by a token.
    pub fn of_pack(pack: impl Into<PackName>) -> Self {
        Self::of_packs(vec![pack.into()])
    }

    /// Deliveries for the first of these packs that takes them, whose senders are known by a token.
    pub fn of_packs(packs: Vec<PackName>) -> Self {
        Self { packs, keys: BTreeMap::new(), signature: None }
    }
}

/// How deliveries are taken.
#[derive(Debug, Clone)]
pub struct IntakeSettings {
    /// By format; a delivery of a format without settings is refused.
    pub formats: BTreeMap<DeliveryFormat, FormatSettings>,
    /// Deliveries that may wait; more are refused until some are worked on.
    pub waiting_max: u64,
    /// Cases that one delivery may open; the rest of it becomes one session.
    pub max_cases: usize,
}

/// What intake stands on.
#[derive(Debug)]
pub struct IntakeParts {
    /// Opens sessions and takes commands.
    pub engine: Engine,
    /// Where deliveries are stored.
    pub deliveries: Arc<dyn Deliveries>,
    /// Where they are read.
    pub reads: Arc<dyn DeliveryReads>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// Where its figures are registered.
    pub metrics: Registry,
}
