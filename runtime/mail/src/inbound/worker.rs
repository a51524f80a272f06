//! Works on what waits: decides the plan of a group, stores it, has it performed, finishes its deliveries. Each step may
//! be the last before a crash; the next process then goes on with the stored plan.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use futures::stream;
use futures::{FutureExt as _, StreamExt as _};
use provost_domain::fields::CheckedFields;
use provost_domain::ids::{Digest, SessionId};
use provost_domain::port::{Delivery, Finish, Finished, GroupWork, Known, StoreError};
use provost_engine::{Backoff, EngineError, Next, TickFailure, Ticker, TickerSettings};
use tokio::sync::Notify;

use super::case;
use super::draft::{DraftFacts, GroupSession};
use super::formats::DeliveryFormat;
use super::notice::Notice;
use super::opening::Opening;
use super::perform::{perform, standing};
use super::plan::{self, PlanFacts};
use super::planned::DeliveryPlan;
use super::queue::DeliveryQueue;
use super::reading::{AlertChange, BadDelivery};

/// Deliveries of a group that are looked at together: bounds memory, since each may be as large as a request.
const TOGETHER: u32 = 64;
/// Groups that are worked on at once.
const AT_ONCE: usize = 8;
/// The pause before what could not be done is tried again.
const AGAIN: Duration = Duration::from_millis(500);
/// The longest pause while the store does not answer.
const AGAIN_MAX: Duration = Duration::from_secs(5);
/// The pause while nothing comes: whatever wakes the worker, it does not rely on it alone.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// How long one round may take: a storm of ten thousand groups on a slow disk stays below it.
const ROUND_MAX: Duration = Duration::from_mins(10);

/// How far working on a group got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GroupProgress {
    /// More of its deliveries wait.
    MoreWaits,
    /// None of them waits.
    Done,
}

/// What one plan of a group came to.
struct PlanOutcome {
    /// The place of the last delivery it was about.
    upto: u64,
    /// The sessions those deliveries speak of besides the one they went to.
    about: Vec<SessionId>,
    what: Finished,
}

/// Looks for deliveries that wait: when one comes, and from time to time.
#[derive(Debug)]
pub(super) struct IntakeTicker(pub(super) Arc<DeliveryQueue>);

#[async_trait]
impl Ticker for IntakeTicker {
    fn settings(&self) -> TickerSettings {
        TickerSettings {
            name: "intake",
            first: Duration::ZERO,
            period: LOOK_AGAIN,
            jitter: 0.0,
            limit: ROUND_MAX,
            backoff: Backoff::doubling(AGAIN, AGAIN_MAX),
        }
    }

    fn wake(&self) -> Option<Arc<Notify>> {
        Some(Arc::clone(&self.0.came))
    }

    async fn tick(&mut self) -> Result<Next, TickFailure> {
        let queue = &*self.0;
        queue.pausing.store(false, Ordering::Relaxed);
        if round(queue).await? {
            return Ok(Next::Period);
        }
        // What came during this round is looked at after the pause as well: it takes back its wake-up.
        queue.pausing.store(true, Ordering::Relaxed);
        let _woken = queue.came.notified().now_or_never();
        Ok(Next::After(AGAIN))
    }
}

/// Works on every group that waits. Whether nothing is left over.
async fn round(queue: &DeliveryQueue) -> Result<bool, StoreError> {
    let groups = queue.parts.reads.waiting().await?;
    let each = stream::iter(groups).map(|(group, _)| work_on(queue, group)).buffer_unordered(AT_ONCE);
    Ok(each.fold(true, |all, worked| ready(all && worked)).await)
}

/// Works on one group until nothing of it waits. Whether that worked.
async fn work_on(queue: &DeliveryQueue, group: Digest) -> bool {
    loop {
        if queue.closed.load(Ordering::Relaxed) {
            return false;
        }
        match one_plan(queue, group).await {
            Ok(GroupProgress::Done) => return true,
            Ok(GroupProgress::MoreWaits) => {}
            Err(EngineError::SessionCapExceeded { live }) => {
                tracing::debug!(%group, live, "a delivery waits until a session ends");
                return false;
            }
            Err(error) => {
                tracing::warn!(%group, %error, "a delivery could not be worked on; it is tried again");
                return false;
            }
        }
    }
}

/// One plan of a group, from the decision or from where a crash left it to its end.
async fn one_plan(queue: &DeliveryQueue, group: Digest) -> Result<GroupProgress, EngineError> {
    let work = match queue.parts.reads.work(group, TOGETHER).await {
        Ok(work) => work,
        // Nobody knows which of its rows it is: all that waits becomes bad, and can be replayed or dismissed.
        Err(StoreError::Damaged { detail }) => {
            let what = Finished::Bad { reason: format!("what is stored of its group cannot be read: {detail}") };
            let finished =
                queue.parts.deliveries.finish(Finish { group, upto: u64::MAX, about: Vec::new(), what }).await?;
            queue.no_longer_wait(finished);
            return Ok(GroupProgress::Done);
        }
        Err(error) => return Err(error.into()),
    };
    let Some(format) = work.deliveries.first().and_then(|delivery| DeliveryFormat::named(&delivery.source)) else {
        return Ok(GroupProgress::Done);
    };
    let full = work.deliveries.len() >= TOGETHER as usize;
    let last = work.deliveries.last().map_or(0, |delivery| delivery.seq);
    let PlanOutcome { upto, about, what } = match stored(&work) {
        Ok(Some(plan)) => {
            PlanOutcome { upto: plan.upto, about: plan.about.clone(), what: perform(queue, format, plan).await? }
        }
        Ok(None) => decide(queue, group, format, work).await?,
        // The plan goes with the delivery it began with; the others are decided anew.
        Err(reason) => {
            let upto = work.deliveries.first().map_or(0, |delivery| delivery.seq);
            PlanOutcome { upto, about: Vec::new(), what: Finished::Bad { reason } }
        }
    };
    let bad = match what {
        Finished::Bad { .. } => true,
        Finished::Done { .. } => false,
    };
    let finished = queue.parts.deliveries.finish(Finish { group, upto, about, what }).await?;
    if bad {
        queue.bad.with_label_values(&[format.as_str()]).inc_by(finished);
    }
    queue.no_longer_wait(finished);
    Ok(if full || upto < last { GroupProgress::MoreWaits } else { GroupProgress::Done })
}

/// Decides, stores the plan, has it performed.
async fn decide(
    queue: &DeliveryQueue,
    group: Digest,
    format: DeliveryFormat,
    work: GroupWork,
) -> Result<PlanOutcome, EngineError> {
    let (notices, upto, bad) = readable(queue, format, &work.deliveries);
    let by = work.deliveries.first().map(|delivery| delivery.by.clone());
    let Some(by) = by.filter(|_| !notices.is_empty()) else {
        let reason = bad.map(|bad| bad.to_string()).unwrap_or_default();
        return Ok(PlanOutcome { upto, about: Vec::new(), what: Finished::Bad { reason } });
    };
    let mut known = work.marks;
    let adopted = match notices.first().filter(|_| known.is_empty() && work.session.is_none()) {
        // Stores of an earlier version keep the groups of all senders as one: what that one knows is not reported again.
        Some(notice) if notice.group != group => queue.parts.reads.work(notice.group, 0).await?.marks,
        Some(_) | None => BTreeMap::new(),
    };
    known.extend(adopted.clone());
    let sessions = sessions(queue, &notices, &known, work.session).await?;
    let packs = queue.packs(format)?;
    let fits = |opening: &Opening| {
        let pack = packs.named(opening.pack.as_ref());
        pack.is_some_and(|pack| CheckedFields::new(pack, opening.fields.clone()).is_ok())
    };
    let mut fresh = || SessionId::new(uuid::Uuid::now_v7());
    let draft = DraftFacts {
        sessions,
        known,
        standing: work.session,
        now: queue.parts.clock.now(),
        max_cases: queue.max_cases,
        fits: &fits,
        fresh: &mut fresh,
    };
    let plan = plan::decide(PlanFacts { group, by, notices: &notices, upto, draft, adopted });
    if !plan.is_idle() {
        let text = serde_json::to_string(&plan)
            .map_err(|error| StoreError::Failed { detail: format!("a plan cannot be written as JSON: {error}") })?;
        queue.parts.deliveries.plan(group, &text).await?;
    }
    let about = plan.about.clone();
    Ok(PlanOutcome { upto, about, what: perform(queue, format, plan).await? })
}

/// The sessions that the notices speak of, with how they stand.
async fn sessions(
    queue: &DeliveryQueue,
    notices: &[Notice],
    known: &BTreeMap<String, Known>,
    group: Option<SessionId>,
) -> Result<BTreeMap<SessionId, GroupSession>, StoreError> {
    let session = |name: &str| known.get(name).and_then(|known| known.session);
    let mut wanted: BTreeSet<SessionId> = group.into_iter().collect();
    let many = known.iter().filter(|(name, _)| name.starts_with(case::MANY));
    wanted.extend(many.filter_map(|(_, known)| known.session));
    for alert in notices.iter().flat_map(|notice| &notice.alerts) {
        wanted.extend(session(&alert.mark));
        wanted.extend(alert.case.as_ref().and_then(|(case, _)| session(&case.mark())));
        if alert.change == AlertChange::AllResolved {
            let alerts = known.iter().filter(|(name, _)| case::is_alert(name));
            wanted.extend(alerts.filter_map(|(_, known)| known.session));
        }
    }
    let mut found = BTreeMap::new();
    for session in wanted {
        found.extend(standing(queue, session).await?.map(|standing| (session, standing)));
    }
    Ok(found)
}

/// The deliveries from the first on that can be read, and the place of the last of them; or the first alone with the
/// reason why it cannot be read any more.
fn readable(
    queue: &DeliveryQueue,
    format: DeliveryFormat,
    deliveries: &[Delivery],
) -> (Vec<Notice>, u64, Option<BadDelivery>) {
    let packs = queue.packs(format).ok().map(|packs| packs.digest());
    let (mut notices, mut upto) = (Vec::with_capacity(deliveries.len()), 0);
    for delivery in deliveries {
        let read = || queue.read(format, &delivery.by, &delivery.body, String::new).map(|reading| reading.notice);
        match queue.parsed.take(&delivery.id, packs).map_or_else(read, Ok) {
            Ok(notice) => notices.push(notice),
            Err(bad) if notices.is_empty() => return (notices, delivery.seq, Some(bad)),
            Err(_) => break,
        }
        upto = delivery.seq;
    }
    (notices, upto, None)
}

/// The plan a crash left, or why it cannot be read.
fn stored(work: &GroupWork) -> Result<Option<DeliveryPlan>, String> {
    let unreadable = |error| format!("the stored plan of its group cannot be read: {error}");
    work.plan.as_deref().map(serde_json::from_str).transpose().map_err(unreadable)
}
