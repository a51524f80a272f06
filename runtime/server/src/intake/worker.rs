//! Works on what waits: decides a group's plan, stores it, carries it out, finishes its deliveries. Each step may be the
//! last before a crash; the next process then goes on with the stored plan.

use std::future::ready;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use provost_domain::command::{Ask, Command};
use provost_domain::ids::{Digest, SessionId};
use provost_domain::port::{Delivery, Finish, Finished, GroupWork, StoreError};
use provost_engine::{Case, EngineError};
use tokio_util::task::TaskTracker;

use super::notice::{BadDelivery, Notice};
use super::plan::{self, Deliberation, Open, Plan, Standing, Unworkable};
use super::{Inner, Source};

/// Deliveries of a group that are looked at together: bounds memory, since each may be as large as a request.
const TOGETHER: u32 = 64;
/// Groups that are worked on at once.
const AT_ONCE: usize = 8;
/// The pause before what could not be done is tried again.
const AGAIN: Duration = Duration::from_millis(500);

/// What came of working on a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Worked {
    /// Some of its deliveries; more wait.
    Some,
    /// All of them.
    All,
}

impl Inner {
    /// Begins to work, until the engine stops.
    pub(super) fn work(self: &Arc<Self>) {
        let stopped = self.parts.engine.stopped();
        let this = Arc::clone(self);
        drop(TaskTracker::new().spawn(async move { stopped.run_until_cancelled(this.run()).await }));
    }

    async fn run(&self) {
        loop {
            if self.round().await {
                self.came.notified().await;
            } else {
                tokio::time::sleep(AGAIN).await;
            }
        }
    }

    /// Works on every group that waits. Whether nothing is left over.
    async fn round(&self) -> bool {
        let groups = match self.parts.reads.waiting().await {
            Ok(groups) => groups,
            Err(error) => {
                tracing::warn!(%error, "looking for deliveries to work on");
                return false;
            }
        };
        let each = stream::iter(groups).map(|(group, _)| self.group(group)).buffer_unordered(AT_ONCE);
        each.fold(true, |all, worked| ready(all && worked)).await
    }

    /// Works on one group until nothing of it waits. Whether that worked.
    async fn group(&self, group: Digest) -> bool {
        loop {
            if self.closed.load(Ordering::Relaxed) {
                return false;
            }
            match self.part(group).await {
                Ok(Worked::All) => return true,
                Ok(Worked::Some) => {}
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
    async fn part(&self, group: Digest) -> Result<Worked, EngineError> {
        let work = self.parts.reads.work(group, TOGETHER).await?;
        let Some(source) = work.deliveries.first().and_then(|delivery| Source::named(&delivery.source)) else {
            return Ok(Worked::All);
        };
        let full = work.deliveries.len() >= TOGETHER as usize;
        let last = work.deliveries.last().map_or(0, |delivery| delivery.seq);
        let (upto, about, what) = match stored(&work)? {
            Some(plan) => (plan.upto, plan.about.clone(), self.perform(source, plan).await?),
            None => self.decide(group, source, work).await?,
        };
        let spoilt = matches!(what, Finished::Bad { .. });
        let finished = self.parts.deliveries.finish(Finish { group, upto, about, what }).await?;
        if spoilt {
            self.bad.with_label_values(&[source.as_str()]).inc_by(finished);
        }
        self.no_longer_wait(finished);
        Ok(if full || upto < last { Worked::Some } else { Worked::All })
    }

    /// Decides and performs. Where that ended, which sessions it speaks of, and what came of it.
    async fn decide(
        &self,
        group: Digest,
        source: Source,
        work: GroupWork,
    ) -> Result<(u64, Vec<SessionId>, Finished), EngineError> {
        let (notices, upto, bad) = self.readable(source, &work.deliveries);
        let by = work.deliveries.first().map(|delivery| delivery.by.clone());
        let Some(by) = by.filter(|_| !notices.is_empty()) else {
            let reason = bad.map(|bad| bad.to_string()).unwrap_or_default();
            return Ok((upto, Vec::new(), Finished::Bad { reason }));
        };
        let standing = self.standing(work.session).await?.filter(|standing| !standing.erased);
        let fresh = SessionId::new(uuid::Uuid::now_v7());
        let given = Deliberation { group, by, standing, known: work.marks, notices: &notices, upto, fresh };
        let plan = match plan::decide(given) {
            Ok(plan) => plan,
            Err(Unworkable { reason, about }) => return Ok((upto, about, Finished::Bad { reason })),
        };
        if !plan.is_idle() {
            let text = serde_json::to_string(&plan).map_err(|error| damaged(&error))?;
            self.parts.deliveries.plan(group, &text).await?;
        }
        let about = plan.about.clone();
        Ok((upto, about, self.perform(source, plan).await?))
    }

    /// The deliveries from the first on that can be read, and the place of the last of them; or the first alone with the
    /// reason why it cannot be read any more.
    fn readable(&self, source: Source, deliveries: &[Delivery]) -> (Vec<Notice>, u64, Option<BadDelivery>) {
        let (mut notices, mut upto) = (Vec::with_capacity(deliveries.len()), 0);
        for delivery in deliveries {
            match self.read(source, &delivery.body, String::new) {
                Ok((notice, _)) => notices.push(notice),
                Err(bad) if notices.is_empty() => return (notices, delivery.seq, Some(bad)),
                Err(_) => break,
            }
            upto = delivery.seq;
        }
        (notices, upto, None)
    }

    async fn standing(&self, session: Option<SessionId>) -> Result<Option<Standing>, StoreError> {
        let Some(session) = session else { return Ok(None) };
        match self.parts.engine.reads().session(session).await {
            Ok(row) => Ok(Some(Standing { session, ended: row.ended, erased: row.erased_at.is_some() })),
            Err(StoreError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Carries a plan out. Every part of it that was done before stays as it is.
    async fn perform(&self, source: Source, plan: Plan) -> Result<Finished, EngineError> {
        let Plan { by, open, told, session, marks, note, upto: _, about: _ } = plan;
        if let Some(Open { session, title, fields, parent }) = open
            && self.standing(Some(session)).await?.is_none()
        {
            let pack = self.sources.get(&source).map(|settings| settings.pack.clone()).unwrap_or_default();
            let case = Case { id: session, pack, fields, title, by: by.clone(), parent, start: true };
            match self.parts.engine.open(case).await {
                Ok(opened) => {
                    tracing::info!(session = %opened.id, handle = %opened.handle, "a delivery opened a session");
                }
                Err(error @ (EngineError::UnknownPack { .. } | EngineError::InvalidFields { .. })) => {
                    return Ok(Finished::Bad { reason: error.to_string() });
                }
                Err(error) => return Err(error),
            }
        }
        for told in told {
            let ask = Ask::Signal { source: source.as_str().to_owned(), payload: told.payload };
            let command = Command { by: by.clone(), if_version: None, ask };
            match self.parts.engine.command(told.session, &told.cmd_id, command).await {
                // Stored is enough: whoever carries the session next applies it.
                Ok(_) | Err(EngineError::Pending) => {}
                Err(EngineError::Store(error @ StoreError::Erased { .. })) => {
                    tracing::warn!(session = %told.session, %error, "a session took no news of its group");
                }
                Err(EngineError::Refused(refusal)) => {
                    tracing::warn!(session = %told.session, %refusal, "a session took no news of its group");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Finished::Done { session, marks, note })
    }
}

/// The plan a crash left.
fn stored(work: &GroupWork) -> Result<Option<Plan>, EngineError> {
    work.plan.as_deref().map(serde_json::from_str).transpose().map_err(|error| damaged(&error))
}

fn damaged(error: &serde_json::Error) -> EngineError {
    StoreError::Damaged { detail: format!("delivery_groups.plan: {error}") }.into()
}
