//! How deliveries are taken, and what intake stands on.

use std::collections::BTreeMap;
use std::sync::Arc;

use prometheus::Registry;
use provost_domain::ids::{Digest, PackName};
use provost_domain::port::{Clock, Deliveries, DeliveryReads};
use provost_engine::Engine;

use super::formats::DeliveryFormat;

/// How deliveries of one format are taken.
#[derive(Debug, Clone)]
pub struct FormatSettings {
    /// The pack of the sessions they open.
    pub pack: PackName,
    /// Digests of the keys that let a sender in without a token, by the sender's name.
    pub keys: BTreeMap<String, Digest>,
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
