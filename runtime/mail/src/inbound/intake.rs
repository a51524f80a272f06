//! Takes deliveries: each is parsed, checked and stored, or refused. The worker then works on what waits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use prometheus::{IntCounter, IntCounterVec, Opts};
use provost_domain::ids::{DeliveryId, Digest, PackName};
use provost_domain::pack::Pack;
use provost_domain::port::{
    Arrived, Deliveries, Delivery, DeliveryReads, DeliveryState, DismissAnswer, NewDelivery, StoreError,
};
use provost_domain::principal::Principal;
use provost_domain::time::Timestamp;
use provost_engine::Engine;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use tokio::sync::Notify;

use super::case::group_of;
use super::error::{DeliveryError, IntakeError};
use super::formats::DeliveryFormat;
use super::incoming::Incoming;
use super::notice::RefusedAlerts;
use super::parsed::ParsedDeliveries;
use super::presets::is_preset;
use super::queue::{CheckedReading, DeliveryQueue, Storing};
use super::reading::BadDelivery;
use super::settings::{IntakeParts, IntakeSettings};
use super::signature::ReadHeader;
use super::worker::IntakeTicker;

/// Takes deliveries and works on them. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Intake(Arc<DeliveryQueue>);

/// What the sender of a delivery gets once it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The id of the delivery.
    pub id: DeliveryId,
    /// The name the sender has for its group, minted where it gave none; empty for a format without names.
    pub key: String,
}

impl Intake {
    /// Begins: at once takes up what a dead process left, and works until the engine stops.
    ///
    /// # Errors
    /// The settings name a pack that is not loaded, or the store fails.
    pub async fn start(parts: IntakeParts, settings: IntakeSettings) -> Result<Self, IntakeError> {
        let IntakeSettings { formats, waiting_max, max_cases } = settings;
        let packs = parts.engine.packs();
        for (format, settings) in &formats {
            for pack in &settings.packs {
                check_pack(*format, pack, &packs)?;
            }
        }
        let waiting = parts.reads.waiting().await?.iter().map(|(_, count)| count).sum();
        let bad = Opts::new("provost_deliveries_bad_total", "Deliveries that could not be worked on.");
        let bad = IntCounterVec::new(bad, &["source"])?;
        for format in formats.keys() {
            bad.with_label_values(&[format.as_str()]);
        }
        parts.metrics.register(Box::new(bad.clone()))?;
        let unattended = IntCounter::new(
            "provost_alerts_unattended_total",
            "Sessions whose alerts went on firing while nobody worked on them.",
        )?;
        parts.metrics.register(Box::new(unattended.clone()))?;
        let queue = Arc::new(DeliveryQueue {
            parts,
            formats,
            waiting_max,
            max_cases,
            waiting: AtomicU64::new(waiting),
            came: Arc::new(Notify::new()),
            pausing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            parsed: ParsedDeliveries::default(),
            bad,
            unattended,
        });
        // It goes on until the engine stops.
        drop(queue.parts.engine.start_ticker(IntakeTicker(Arc::clone(&queue))));
        Ok(Self(queue))
    }

    /// Takes no further delivery and opens no further session.
    pub fn close(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.0.parts.engine
    }

    /// The present.
    pub(super) fn now(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    /// Where deliveries are read.
    pub fn reads(&self) -> &Arc<dyn DeliveryReads> {
        &self.0.parts.reads
    }

    /// Where deliveries are stored.
    pub fn deliveries(&self) -> &Arc<dyn Deliveries> {
        &self.0.parts.deliveries
    }

    /// The sender that the key in a delivery stands for. Takes the same time whichever key it is.
    pub fn sender(&self, incoming: &Incoming) -> Option<Principal> {
        let digest = Digest::of(incoming.key.as_deref().unwrap_or_default().as_bytes());
        let keys = &self.0.formats.get(&incoming.format)?.keys;
        let mut found = 0;
        for (known, place) in keys.values().zip(1_u64..) {
            let same: Choice = known.as_bytes().ct_eq(digest.as_bytes());
            found.conditional_assign(&place, same);
        }
        let index = usize::try_from(found).ok()?.checked_sub(1)?;
        keys.keys().nth(index).map(|name| Principal::Intake(name.clone()))
    }

    /// Whether deliveries of a format are known by their signature alone.
    ///
    /// # Errors
    /// The format is not configured.
    pub fn is_signed(&self, format: DeliveryFormat) -> Result<bool, DeliveryError> {
        let settings = self.0.formats.get(&format).ok_or(DeliveryError::NotConfigured { format })?;
        Ok(settings.signature.is_some())
    }

    /// The sender that signed a body as it came. Takes the same time whichever sender it is.
    ///
    /// # Errors
    /// The format is not configured, or no secret signed this body.
    pub fn signer(
        &self,
        format: DeliveryFormat,
        header: ReadHeader<'_>,
        body: &[u8],
    ) -> Result<Principal, DeliveryError> {
        let settings = self.0.formats.get(&format).ok_or(DeliveryError::NotConfigured { format })?;
        let scheme = settings.signature.as_ref().ok_or(DeliveryError::NotConfigured { format })?;
        let sender = scheme.sender(header, body, self.0.parts.clock.now())?;
        Ok(Principal::Intake(sender.to_owned()))
    }

    /// Takes a delivery: once it returns `Ok` the delivery is durable and will be worked on. A bad one is stored, too.
    ///
    /// # Errors
    /// It is bad; or it is not taken, and [`DeliveryError`] says whether its sender should repeat it.
    pub async fn take(&self, incoming: Incoming, by: Principal) -> Result<Receipt, DeliveryError> {
        let Incoming { format, body, key: _ } = incoming;
        self.0.ready(format)?;
        let (body, read) = self.read(format, &by, body).await?;
        match read {
            Ok(reading) => self.store_reading(format, by, body, reading).await,
            Err(reason) => {
                let arrived = Arrived::Bad { reason: reason.to_string() };
                let delivery = self.new_delivery(format, by, body, arrived);
                let id = self.store(Storing { delivery, reading: None }).await?;
                Err(DeliveryError::Bad { reason, delivery: Some(id) })
            }
        }
    }

    /// Takes a bad delivery again, for when what made it bad has changed.
    ///
    /// # Errors
    /// The delivery does not exist, is not bad, or is bad still.
    pub async fn replay(&self, id: &DeliveryId) -> Result<Receipt, DeliveryError> {
        let Delivery { source, by, body, state, .. } = self.reads().delivery(id).await?;
        let bad = DeliveryFormat::named(&source).filter(|_| state == DeliveryState::Bad);
        let format = bad.ok_or_else(|| DeliveryError::NotBad { id: id.clone(), state, verb: "replayed" })?;
        self.0.ready(format)?;
        let still_bad = |reason: BadDelivery| DeliveryError::Bad { reason, delivery: None };
        let (body, read) = self.read(format, &by, body).await?;
        let reading = read.map_err(still_bad)?;
        let receipt = self.store_reading(format, by, body, reading).await?;
        let again = &receipt.id;
        match self.0.parts.deliveries.dismiss(id, &format!("replayed as {again}")).await? {
            DismissAnswer::Dismissed => {}
            DismissAnswer::NotBad => tracing::warn!(delivery = %id, %again, "a replayed delivery is not bad any more"),
        }
        Ok(receipt)
    }

    async fn store_reading(
        &self,
        format: DeliveryFormat,
        by: Principal,
        body: Vec<u8>,
        reading: CheckedReading,
    ) -> Result<Receipt, DeliveryError> {
        self.store_refused(format, &by, &body, &reading.refused).await?;
        let (group, key) = (group_of(&by, reading.notice.group), reading.key.clone());
        let delivery = self.new_delivery(format, by, body, Arrived::Waiting { group });
        let id = self.store(Storing { delivery, reading: Some(reading) }).await?;
        Ok(Receipt { id, key })
    }

    /// Reads a body; a large one where it holds up nobody.
    async fn read(
        &self,
        format: DeliveryFormat,
        by: &Principal,
        body: Vec<u8>,
    ) -> Result<(Vec<u8>, Result<CheckedReading, BadDelivery>), DeliveryError> {
        let (queue, by, large) = (Arc::clone(&self.0), by.clone(), body.len() > LARGE);
        let read = move || {
            let read = queue.read(format, &by, &body, || minted(""));
            (body, read)
        };
        if large {
            let read = tokio::task::spawn_blocking(read).await;
            return read.map_err(|error| DeliveryError::Interrupted { detail: error.to_string() });
        }
        Ok(read())
    }

    /// Stores the alerts of a delivery that cannot be worked on as a bad delivery of their own, so that they can be replayed.
    /// The same ones are stored once, however often they are reported.
    async fn store_refused(
        &self,
        format: DeliveryFormat,
        by: &Principal,
        body: &[u8],
        refused: &RefusedAlerts,
    ) -> Result<(), DeliveryError> {
        let Some(reason) = refused.values().next() else { return Ok(()) };
        let Some(part) = format.part(body, &refused.keys().copied().collect()) else { return Ok(()) };
        let digest = Digest::of_parts(&[by.to_string().as_bytes(), &part]).hex();
        let id = DeliveryId::new(format!("dlv_{}", digest.get(..ID_DIGITS).unwrap_or(&digest)));
        match self.reads().delivery(&id).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let reason = format!("{} of the alerts of a delivery: {reason}", refused.len());
        let arrived = Arrived::Bad { reason };
        let delivery = NewDelivery { id, ..self.new_delivery(format, by.clone(), part, arrived) };
        self.store(Storing { delivery, reading: None }).await.map(drop)
    }

    /// Takes a delivery of this program's own under an id that is the same whenever it is made again. One that is stored already
    /// is left as it is.
    pub(super) async fn take_once(
        &self,
        format: DeliveryFormat,
        id: DeliveryId,
        by: Principal,
        body: Vec<u8>,
    ) -> Result<(), DeliveryError> {
        self.0.ready(format)?;
        match self.reads().delivery(&id).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let (body, read) = self.read(format, &by, body).await?;
        let (arrived, reading) = match read {
            Ok(reading) => (Arrived::Waiting { group: group_of(&by, reading.notice.group) }, Some(reading)),
            Err(reason) => (Arrived::Bad { reason: reason.to_string() }, None),
        };
        let delivery = NewDelivery { id, ..self.new_delivery(format, by, body, arrived) };
        self.store(Storing { delivery, reading }).await.map(drop)
    }

    fn new_delivery(&self, format: DeliveryFormat, by: Principal, body: Vec<u8>, arrived: Arrived) -> NewDelivery {
        let (id, at) = (DeliveryId::new(minted("dlv_")), self.0.parts.clock.now());
        NewDelivery { id, source: format.as_str().to_owned(), by, body, arrived, at }
    }

    /// Stores, in a task of its own: a sender that hangs up leaves nothing half counted.
    async fn store(&self, storing: Storing) -> Result<DeliveryId, DeliveryError> {
        let (id, queue) = (storing.delivery.id.clone(), Arc::clone(&self.0));
        let stored = self.0.parts.engine.tasks().spawn("delivery", async move { queue.store(storing).await }).await;
        stored.map_err(|error| DeliveryError::Interrupted { detail: error.to_string() })??;
        Ok(id)
    }
}

/// Refuses a pack that is not loaded, and one that does not say what deliveries of a format mean.
fn check_pack(
    format: DeliveryFormat,
    pack: &PackName,
    packs: &BTreeMap<PackName, Arc<Pack>>,
) -> Result<(), IntakeError> {
    match packs.get(pack) {
        None => {
            let known = packs.keys().cloned().collect();
            Err(IntakeError::UnknownPack { format, pack: pack.clone(), known })
        }
        Some(found) if !is_preset(format) && !found.intake.contains_key(format.mapping_key()) => {
            Err(IntakeError::NoMapping { format, pack: pack.clone() })
        }
        Some(_) => Ok(()),
    }
}

/// Digits of an id that is made of what it stands for: as many as a random one has.
const ID_DIGITS: usize = 32;
/// Bodies above this many bytes are read on a thread of their own.
const LARGE: usize = 256 * 1024;

/// A fresh name, random.
fn minted(prefix: &str) -> String {
    format!("{prefix}{}", uuid::Uuid::now_v7().as_simple())
}
