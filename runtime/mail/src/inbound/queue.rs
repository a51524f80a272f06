//! The queue of deliveries: what waits, how much may wait, and how a body becomes a notice whose fields are checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use prometheus::{IntCounter, IntCounterVec};
use provost_domain::ids::{Digest, PackName};
use provost_domain::pack::Pack;
use provost_domain::port::NewDelivery;
use provost_domain::principal::Principal;
use provost_engine::EngineError;
use tokio::sync::Notify;

use super::error::DeliveryError;
use super::formats::{DeliveryFormat, SOURCE};
use super::notice::{Notice, RefusedAlerts, checked};
use super::parsed::ParsedDeliveries;
use super::reading::BadDelivery;
use super::settings::{FormatSettings, IntakeParts};

/// What intake and its worker share.
#[derive(Debug)]
pub(super) struct DeliveryQueue {
    pub(super) parts: IntakeParts,
    pub(super) formats: BTreeMap<DeliveryFormat, FormatSettings>,
    pub(super) waiting_max: u64,
    /// Most cases that one delivery opens; the rest becomes one session.
    pub(super) max_cases: usize,
    /// Deliveries that wait or are just being stored.
    pub(super) waiting: AtomicU64,
    /// Something came: wakes the worker.
    pub(super) came: Arc<Notify>,
    /// The worker pauses before it tries again what it could not do; what comes meanwhile does not wake it.
    pub(super) pausing: AtomicBool,
    /// No further delivery is taken and no further session is opened.
    pub(super) closed: AtomicBool,
    pub(super) parsed: ParsedDeliveries,
    /// Deliveries that could not be worked on, by format.
    pub(super) bad: IntCounterVec,
    /// Sessions whose alerts go on firing while nobody works on them.
    pub(super) unattended: IntCounter,
}

/// A body that was read and checked.
#[derive(Debug)]
pub(super) struct CheckedReading {
    pub(super) notice: Notice,
    /// The alerts that cannot be worked on.
    pub(super) refused: RefusedAlerts,
    /// The name the sender has for its group; empty for a format without names.
    pub(super) key: String,
    /// The packs that the fields were checked against.
    pub(super) packs: Digest,
}

/// A delivery to be stored, with what it says unless it is bad.
#[derive(Debug)]
pub(super) struct Storing {
    pub(super) delivery: NewDelivery,
    pub(super) reading: Option<CheckedReading>,
}

/// The name that a mapping reads for who sends.
fn sender_name(by: &Principal) -> String {
    match by {
        Principal::Intake(name) => name.clone(),
        Principal::Person(_)
        | Principal::Agent(_)
        | Principal::Ticker(_)
        | Principal::Client(_)
        | Principal::Runtime
        | Principal::Retention
        | Principal::Other(_) => by.to_string(),
    }
}

/// The packs that take deliveries of a format, the first that does counts.
#[derive(Debug)]
pub(super) struct FormatPacks(Vec<Arc<Pack>>);

impl FormatPacks {
    pub(super) fn all(&self) -> Vec<&Pack> {
        self.0.iter().map(AsRef::as_ref).collect()
    }

    /// One of them by its name; without a name the first.
    pub(super) fn named(&self, name: Option<&PackName>) -> Option<&Pack> {
        let mut packs = self.0.iter().map(AsRef::as_ref);
        name.map_or_else(|| self.0.first().map(AsRef::as_ref), |name| packs.find(|pack: &&Pack| pack.name == *name))
    }

    /// Tells these packs from other ones, and from other versions of them.
    pub(super) fn digest(&self) -> Digest {
        let parts: Vec<&[u8]> = self.0.iter().map(|pack| pack.digest.as_bytes().as_slice()).collect();
        Digest::of_parts(&parts)
    }
}

impl DeliveryQueue {
    /// Refuses what is not configured, and everything while the process ends.
    pub(super) fn ready(&self, format: DeliveryFormat) -> Result<(), DeliveryError> {
        if format.own_pack().is_none() && !self.formats.contains_key(&format) {
            return Err(DeliveryError::NotConfigured { format });
        }
        if self.closed.load(Ordering::Relaxed) {
            return Err(DeliveryError::Closed);
        }
        Ok(())
    }

    /// The names of the packs that are asked, one after the other, whether they take a delivery of a format.
    fn pack_names(&self, format: DeliveryFormat) -> Vec<PackName> {
        if let Some(pack) = format.own_pack() {
            return vec![pack.into()];
        }
        self.formats.get(&format).map(|settings| settings.packs.clone()).unwrap_or_default()
    }

    /// The first of them.
    pub(super) fn first_pack(&self, format: DeliveryFormat) -> PackName {
        self.pack_names(format).into_iter().next().unwrap_or_else(|| "".into())
    }

    /// Those packs, as they are loaded now.
    pub(super) fn packs(&self, format: DeliveryFormat) -> Result<FormatPacks, EngineError> {
        let packs = self.pack_names(format).into_iter().map(|name| self.parts.engine.pack(&name));
        packs.collect::<Result<_, _>>().map(FormatPacks)
    }

    /// Reads a body and checks what sessions would be opened with; `minted` names the group of a delivery whose sender gave
    /// it no name.
    pub(super) fn read(
        &self,
        format: DeliveryFormat,
        by: &Principal,
        body: &[u8],
        minted: impl FnOnce() -> String,
    ) -> Result<CheckedReading, BadDelivery> {
        let mut reading = format.read(body, minted)?;
        reading.common.insert(SOURCE.to_owned(), sender_name(by).into());
        let key = reading.key.clone();
        let packs = self.packs(format).map_err(|error| BadDelivery::Fields(error.to_string()))?;
        let (notice, refused) = checked(&packs.all(), format, reading)?;
        Ok(CheckedReading { notice, refused, key, packs: packs.digest() })
    }

    /// Stores a delivery; a bad one does not wait.
    pub(super) async fn store(&self, Storing { delivery, reading }: Storing) -> Result<(), DeliveryError> {
        let Some(CheckedReading { notice, packs, .. }) = reading else {
            let source = delivery.source.clone();
            self.parts.deliveries.deliver(delivery).await?;
            self.bad.with_label_values(&[&source]).inc();
            return Ok(());
        };
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.waiting_max {
            self.no_longer_wait(1);
            return Err(DeliveryError::Full { waiting_max: self.waiting_max });
        }
        let id = delivery.id.clone();
        self.parsed.put(id.clone(), notice, packs, delivery.body.len());
        if let Err(error) = self.parts.deliveries.deliver(delivery).await {
            drop(self.parsed.take(&id, Some(packs)));
            self.no_longer_wait(1);
            return Err(error.into());
        }
        if !self.pausing.load(Ordering::Relaxed) {
            self.came.notify_one();
        }
        Ok(())
    }

    pub(super) fn no_longer_wait(&self, count: u64) {
        // A store that failed to answer may have stored, so one delivery may be taken off twice.
        self.waiting.update(Ordering::Relaxed, Ordering::Relaxed, |waiting| waiting.saturating_sub(count));
    }
}
