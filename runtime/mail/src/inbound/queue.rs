//! The queue of deliveries: what waits, how much may wait, and how a body becomes a notice whose fields are checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use prometheus::{IntCounter, IntCounterVec};
use provost_domain::ids::{Digest, PackName};
use provost_domain::pack::Pack;
use provost_domain::port::NewDelivery;
use provost_engine::EngineError;
use tokio::sync::Notify;

use super::error::DeliveryError;
use super::formats::DeliveryFormat;
use super::notice::{Notice, RefusedAlerts, checked};
use super::opening::PackFields;
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
    /// The pack the fields were checked against.
    pub(super) pack: Digest,
}

/// A delivery to be stored, with what it says unless it is bad.
#[derive(Debug)]
pub(super) struct Storing {
    pub(super) delivery: NewDelivery,
    pub(super) reading: Option<CheckedReading>,
}

impl DeliveryQueue {
    /// Refuses what is not configured, and everything while the process ends.
    pub(super) fn ready(&self, format: DeliveryFormat) -> Result<(), DeliveryError> {
        if !self.formats.contains_key(&format) {
            return Err(DeliveryError::NotConfigured { format });
        }
        if self.closed.load(Ordering::Relaxed) {
            return Err(DeliveryError::Closed);
        }
        Ok(())
    }

    /// The name of the pack of the sessions that deliveries of a format open.
    pub(super) fn pack_name(&self, format: DeliveryFormat) -> PackName {
        self.formats.get(&format).map_or_else(|| "".into(), |settings| settings.pack.clone())
    }

    /// That pack, as it is loaded now.
    pub(super) fn pack(&self, format: DeliveryFormat) -> Result<Arc<Pack>, EngineError> {
        self.parts.engine.pack(&self.pack_name(format))
    }

    /// Reads a body and checks what sessions would be opened with; `minted` names the group of a delivery whose sender gave
    /// it no name.
    pub(super) fn read(
        &self,
        format: DeliveryFormat,
        body: &[u8],
        minted: impl FnOnce() -> String,
    ) -> Result<CheckedReading, BadDelivery> {
        let reading = format.read(body, minted)?;
        let key = reading.key.clone();
        let pack = self.pack(format).map_err(|error| BadDelivery::Fields(error.to_string()))?;
        let (notice, refused) = checked(&pack, PackFields::of(&pack, format), reading)?;
        Ok(CheckedReading { notice, refused, key, pack: pack.digest })
    }

    /// Stores a delivery; a bad one does not wait.
    pub(super) async fn store(&self, Storing { delivery, reading }: Storing) -> Result<(), DeliveryError> {
        let Some(CheckedReading { notice, pack, .. }) = reading else {
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
        self.parsed.put(id.clone(), notice, pack, delivery.body.len());
        if let Err(error) = self.parts.deliveries.deliver(delivery).await {
            drop(self.parsed.take(&id, Some(pack)));
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
