//! Intake: deliveries from outside become sessions, each case once.
//!
//! | file | what |
//! |---|---|
//! | `alertmanager`, `pagerduty` | one format each, read into a `notice` |
//! | `plan` | decides what a group's deliveries come to |
//! | `worker` | carries plans out, again after a crash |
//!
//! A delivery is durable before it is answered, and before anything runs.

mod alertmanager;
mod notice;
mod pagerduty;
mod plan;
mod worker;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use prometheus::proto::MetricFamily;
use prometheus::{IntCounterVec, Opts, Registry};
use provost_domain::ids::{DeliveryId, Digest, Principal};
use provost_domain::port::{
    Arrived, Clock, Deliveries, Delivery, DeliveryReads, DeliveryState, NewDelivery, StoreError,
};
use provost_engine::{Engine, EngineError};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

pub use alertmanager::first_case;
pub use notice::{BadDelivery, Opening};

use crate::codes::Code;
use crate::problem::Problem;
use notice::Notice;

/// A kind of sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Alertmanager's webhook, version 4.
    Alertmanager,
    /// PagerDuty's Events API, version 2.
    Pagerduty,
}

impl Source {
    const ALL: [Self; 2] = [Self::Alertmanager, Self::Pagerduty];

    /// Its word in the configuration and in the store.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Pagerduty => "pagerduty",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == name)
    }
}

/// How deliveries of one kind are taken.
#[derive(Debug, Clone)]
pub struct SourceSettings {
    /// The pack of the sessions they open.
    pub pack: String,
    /// Digests of the keys that let a sender in without a token, by the sender's name.
    pub keys: BTreeMap<String, Digest>,
}

/// How deliveries are taken.
#[derive(Debug, Clone)]
pub struct IntakeSettings {
    /// By the kind of sender; one without settings is refused.
    pub sources: BTreeMap<Source, SourceSettings>,
    /// Deliveries that may wait; more are refused until some are worked on.
    pub waiting_max: u64,
}

/// Intake cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// No such pack.
    #[error("`intake.{name}.pack` names `{pack}`, which is not loaded; the packs are: {}", known.join(", "))]
    UnknownPack {
        /// The kind of sender.
        name: &'static str,
        /// The pack.
        pack: String,
        /// The packs there are.
        known: Vec<String>,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its figures cannot be kept.
    #[error("the figures of deliveries cannot be kept: {0}")]
    Figures(#[from] prometheus::Error),
}

/// What intake stands on.
#[derive(Debug)]
pub struct IntakeParts {
    /// The engine.
    pub engine: Engine,
    /// Where deliveries are stored.
    pub deliveries: Arc<dyn Deliveries>,
    /// Where they are read.
    pub reads: Arc<dyn DeliveryReads>,
    /// The present.
    pub clock: Arc<dyn Clock>,
}

#[derive(Debug)]
struct Inner {
    parts: IntakeParts,
    sources: BTreeMap<Source, SourceSettings>,
    waiting_max: u64,
    /// Deliveries that wait or are just being stored.
    waiting: AtomicU64,
    /// Something came.
    came: Notify,
    closed: AtomicBool,
    registry: Registry,
    /// Deliveries that could not be worked on, by source.
    bad: IntCounterVec,
}

/// Takes deliveries and works on them. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Intake(Arc<Inner>);

/// A delivery that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) id: DeliveryId,
    /// What the sender calls its group, where the format has such a name.
    pub(crate) key: String,
}

impl Intake {
    /// Begins: at once takes up what a dead process left, and works until the engine stops.
    ///
    /// # Errors
    /// The settings name what does not exist, or the store fails.
    pub async fn start(parts: IntakeParts, settings: IntakeSettings) -> Result<Self, IntakeError> {
        let IntakeSettings { sources, waiting_max } = settings;
        let packs = parts.engine.packs();
        for (source, SourceSettings { pack, .. }) in &sources {
            if !packs.contains_key(pack.as_str()) {
                let known = packs.keys().map(ToString::to_string).collect();
                return Err(IntakeError::UnknownPack { name: source.as_str(), pack: pack.clone(), known });
            }
        }
        let waiting = parts.reads.waiting().await?.iter().map(|(_, count)| count).sum();
        let bad = Opts::new("provost_deliveries_bad_total", "Deliveries that could not be worked on.");
        let bad = IntCounterVec::new(bad, &["source"])?;
        for source in sources.keys() {
            bad.with_label_values(&[source.as_str()]);
        }
        let registry = Registry::new();
        registry.register(Box::new(bad.clone()))?;
        let inner = Arc::new(Inner {
            parts,
            sources,
            waiting_max,
            waiting: AtomicU64::new(waiting),
            came: Notify::new(),
            closed: AtomicBool::new(false),
            registry,
            bad,
        });
        inner.work();
        Ok(Self(inner))
    }

    /// Takes no further delivery and begins no further session.
    pub(crate) fn close(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn reads(&self) -> &dyn DeliveryReads {
        &*self.0.parts.reads
    }

    /// The sender a key stands for. Takes the same time whichever key it is.
    pub(crate) fn sender(&self, source: Source, key: &str) -> Option<Principal> {
        let digest = Digest::of(key.as_bytes());
        let keys = &self.0.sources.get(&source)?.keys;
        let mut found = 0;
        for (known, place) in keys.values().zip(1_u64..) {
            let same: Choice = known.as_bytes().ct_eq(digest.as_bytes());
            found.conditional_assign(&place, same);
        }
        let index = usize::try_from(found).ok()?.checked_sub(1)?;
        keys.keys().nth(index).map(|name| Principal::new(format!("intake:{name}")))
    }

    /// Takes a delivery: once it returns `Ok` it is durable and will be worked on. A bad one is kept, too.
    pub(crate) async fn take(&self, source: Source, by: Principal, body: Vec<u8>) -> Result<Taken, Problem> {
        self.0.ready(source)?;
        match self.0.read(source, &body, || minted("")) {
            Ok((notice, key)) => {
                let id = self.store(source, by, body, Arrived::Waiting { group: notice.group }).await?;
                Ok(Taken { id, key })
            }
            Err(bad) => {
                let id = self.store(source, by, body, Arrived::Bad { reason: bad.to_string() }).await?;
                Err(problem(&bad).with("delivery", id.as_str()))
            }
        }
    }

    /// Delivers a bad one again, as what it is by now.
    pub(crate) async fn replay(&self, id: &DeliveryId) -> Result<Taken, Problem> {
        let Delivery { source: name, by, body, state, .. } = self.reads().delivery(id).await?;
        let bad = Source::named(&name).filter(|_| state == DeliveryState::Bad);
        let source = bad.ok_or_else(|| nothing_bad(id, state, "replayed"))?;
        self.0.ready(source)?;
        let (notice, key) = self.0.read(source, &body, || minted("")).map_err(|bad| problem(&bad))?;
        let again = self.store(source, by, body, Arrived::Waiting { group: notice.group }).await?;
        self.0.parts.deliveries.dismiss(id, &format!("replayed as {again}")).await?;
        Ok(Taken { id: again, key })
    }

    /// Gives a bad one up.
    pub(crate) async fn dismiss(&self, id: &DeliveryId, note: &str) -> Result<(), Problem> {
        if self.0.parts.deliveries.dismiss(id, note).await? {
            return Ok(());
        }
        Err(nothing_bad(id, self.reads().delivery(id).await?.state, "dismissed"))
    }

    /// Its figures.
    pub(crate) fn gather(&self) -> Vec<MetricFamily> {
        self.0.registry.gather()
    }

    /// Stores, in a task of its own: a sender that hangs up leaves nothing half counted.
    async fn store(
        &self,
        source: Source,
        by: Principal,
        body: Vec<u8>,
        arrived: Arrived,
    ) -> Result<DeliveryId, Problem> {
        let id = DeliveryId::new(minted("dlv_"));
        let (at, source) = (self.0.parts.clock.now(), source.as_str().to_owned());
        let delivery = NewDelivery { id: id.clone(), source, by, body, arrived, at };
        let inner = Arc::clone(&self.0);
        let stored = TaskTracker::new().spawn(async move { inner.store(delivery).await }).await;
        stored.map_err(|error| Problem::new(Code::Internal, format!("storing broke off: {error}")))??;
        Ok(id)
    }
}

/// A fresh name, random.
fn minted(prefix: &str) -> String {
    format!("{prefix}{}", uuid::Uuid::now_v7().as_simple())
}

fn nothing_bad(id: &DeliveryId, state: DeliveryState, done: &str) -> Problem {
    Problem::new(Code::NothingToDo, format!("delivery `{id}` is {}; only bad ones are {done}", state.as_str()))
}

fn problem(bad: &BadDelivery) -> Problem {
    let code = match bad {
        BadDelivery::Syntax(_) => Code::InvalidRequest,
        BadDelivery::Form(_) => Code::InvalidBody,
        BadDelivery::Fields(_) => Code::InvalidFields,
    };
    Problem::new(code, format!("{bad}; the delivery is kept and can be replayed"))
}

impl Inner {
    /// Refuses what is not configured, and everything while ending.
    fn ready(&self, source: Source) -> Result<(), Problem> {
        if !self.sources.contains_key(&source) {
            let name = source.as_str();
            let detail = format!("deliveries of {name} are not configured; write `intake: {{{name}: {{pack: …}}}}`");
            return Err(Problem::new(Code::NotFound, detail));
        }
        if self.closed.load(Ordering::Relaxed) {
            return Err(Problem::new(Code::ShuttingDown, "send it again after the restart"));
        }
        Ok(())
    }

    /// Reads a body, with the openings that fit the pack.
    fn read(
        &self,
        source: Source,
        body: &[u8],
        minted: impl FnOnce() -> String,
    ) -> Result<(Notice, String), BadDelivery> {
        let (notice, key) = match source {
            Source::Alertmanager => (alertmanager::read(body)?, String::new()),
            Source::Pagerduty => pagerduty::read(body, minted)?,
        };
        let pack = self.sources.get(&source).map(|settings| settings.pack.as_str());
        let pack = pack.ok_or_else(|| BadDelivery::Form(format!("`intake.{}` is not configured", source.as_str())))?;
        let check = |opening: &Opening| {
            self.parts.engine.check(pack, &opening.fields).map_err(|error: EngineError| error.to_string())
        };
        Ok((notice.checked(check)?, key))
    }

    /// A bad delivery waits for nobody.
    async fn store(&self, delivery: NewDelivery) -> Result<(), Problem> {
        if matches!(delivery.arrived, Arrived::Bad { .. }) {
            let source = delivery.source.clone();
            self.parts.deliveries.deliver(delivery).await?;
            self.bad.with_label_values(&[&source]).inc();
            return Ok(());
        }
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.waiting_max {
            self.no_longer_wait(1);
            let detail = format!("{} deliveries wait to be worked on; send it again later", self.waiting_max);
            return Err(Problem::new(Code::Saturated, detail));
        }
        if let Err(error) = self.parts.deliveries.deliver(delivery).await {
            self.no_longer_wait(1);
            return Err(error.into());
        }
        self.came.notify_one();
        Ok(())
    }

    fn no_longer_wait(&self, count: u64) {
        // A store that failed to answer may have stored, so one delivery may be taken off twice.
        self.waiting.update(Ordering::Relaxed, Ordering::Relaxed, |waiting| waiting.saturating_sub(count));
    }
}
