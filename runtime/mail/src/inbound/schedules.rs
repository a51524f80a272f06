//! The times of packs' schedules. Each time becomes a delivery under an id that is made of it, so that it opens one case
//! however often it is made. A schedule keeps how far it came in the plan of a group that has no deliveries; what is missed
//! while nothing runs opens one case, if that is not long ago.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::ids::{DeliveryId, Digest};
use provost_domain::pack::{CaseSchedule, Pack, ScheduledTime};
use provost_domain::port::StoreError;
use provost_domain::principal::Principal;
use provost_domain::time::Timestamp;
use provost_engine::{Backoff, Next, TickFailure, Ticker, TickerSettings};

use super::formats::{DeliveryFormat, firing};
use super::intake::Intake;
use super::planned::DeliveryPlan;

/// How long after its time a case is still opened. What is older helps nobody: the next time comes.
const LATE_MAX: Duration = Duration::from_hours(24);
/// A case that is opened later than this after its time is late, and says so.
const LATE_FROM: Duration = Duration::from_mins(2);
/// Most missed times that are counted.
const MISSED_MAX: u64 = 1000;
/// The longest pause between two looks: the clock may be set, and packs may be loaded anew.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Digits of a delivery's id: as many as a random one has.
const ID_DIGITS: usize = 32;

/// The name of the ticker.
const NAME: &str = "schedules";

/// Looks which times have come.
#[derive(Debug)]
struct ScheduleTicker {
    intake: Intake,
}

/// How far a schedule came, and what is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct DueTime {
    /// The last time that came.
    last: Timestamp,
    /// The case to open; `None` where its time is too long ago.
    case: Option<ScheduledTime>,
}

/// What has come of a calendar since a time it was looked at; nothing where no time came since.
fn due(schedule: &CaseSchedule, since: Timestamp, now: Timestamp) -> Option<DueTime> {
    let last = schedule.calendar.until(now).filter(|last| *last > since)?;
    let (mut missed, mut at) = (0, since);
    while let Some(next) = schedule.calendar.after(at).filter(|next| *next < last && missed < MISSED_MAX) {
        (missed, at) = (missed + 1, next);
    }
    let age = now.since(last);
    let case = ScheduledTime { at: last, missed, late: age > LATE_FROM };
    Some(DueTime { last, case: Some(case).filter(|_| age <= LATE_MAX) })
}

impl Intake {
    /// Opens the cases of packs' schedules when their times come, until the engine stops.
    pub fn keep_time(&self) {
        // It goes on until the engine stops.
        drop(self.engine().start_ticker(ScheduleTicker { intake: self.clone() }));
    }
}

impl ScheduleTicker {
    /// Looks at the schedules of a pack. The first time after now, of all of them.
    async fn look(&self, pack: &Pack, now: Timestamp) -> Result<Option<Timestamp>, TickFailure> {
        let (mut next, mut alike) = (None::<Timestamp>, BTreeMap::new());
        for schedule in &pack.schedules {
            let calendar = schedule.calendar.to_string();
            // Two schedules of one calendar are told apart by their order.
            let place = alike.entry(calendar.clone()).and_modify(|place| *place += 1).or_insert(0_u64);
            let parts = [b"schedule", pack.name.as_str().as_bytes(), calendar.as_bytes(), &place.to_be_bytes()];
            self.look_at(pack, schedule, Digest::of_parts(&parts), now).await?;
            let own = schedule.calendar.after(now);
            next = next.into_iter().chain(own).min();
        }
        Ok(next)
    }

    async fn look_at(
        &self,
        pack: &Pack,
        schedule: &CaseSchedule,
        key: Digest,
        now: Timestamp,
    ) -> Result<(), TickFailure> {
        let Some(since) = self.reached(key).await? else {
            // Seen for the first time: what came before is no miss.
            return Ok(self.reach(key, now).await?);
        };
        let Some(DueTime { last, case }) = due(schedule, since, now) else { return Ok(()) };
        let calendar = &schedule.calendar;
        if let Some(time) = case {
            if time.late || time.missed > 0 {
                let ScheduledTime { at, missed, .. } = time;
                tracing::warn!(pack = %pack.name, %calendar, %at, missed, "a schedule missed times; one case is opened");
            }
            self.open(pack, schedule, key, time).await?;
        } else {
            let at = last;
            tracing::warn!(pack = %pack.name, %calendar, %at, "a schedule missed a time too long ago; no case is opened");
        }
        Ok(self.reach(key, last).await?)
    }

    async fn open(
        &self,
        pack: &Pack,
        schedule: &CaseSchedule,
        key: Digest,
        time: ScheduledTime,
    ) -> Result<(), TickFailure> {
        let format = DeliveryFormat::schedule(pack.name.as_str());
        let format =
            format.ok_or_else(|| TickFailure::new(format!("the name of the pack {} is too long", pack.name)))?;
        let digest = Digest::of_parts(&[key.as_bytes(), &time.at.micros().to_be_bytes()]).hex();
        let id = DeliveryId::new(format!("dlv_{}", digest.get(..ID_DIGITS).unwrap_or(&digest)));
        let by = Principal::Intake(format.as_str().to_owned());
        Ok(self.intake.take_once(format, id, by, firing(schedule, time)?).await?)
    }

    /// How far a schedule came; `None` before it was seen.
    async fn reached(&self, key: Digest) -> Result<Option<Timestamp>, StoreError> {
        let plan = self.intake.reads().work(key, 0).await?.plan;
        let plan = plan.and_then(|plan| serde_json::from_str::<DeliveryPlan>(&plan).ok());
        Ok(plan.map(|plan| Timestamp::from_micros(plan.upto.cast_signed())))
    }

    async fn reach(&self, key: Digest, at: Timestamp) -> Result<(), StoreError> {
        let plan = DeliveryPlan::place(Principal::Ticker(NAME.to_owned()), at.micros().cast_unsigned());
        let text = serde_json::to_string(&plan)
            .map_err(|error| StoreError::Failed { detail: format!("a schedule's place cannot be written: {error}") })?;
        self.intake.deliveries().plan(key, &text).await
    }
}

#[async_trait]
impl Ticker for ScheduleTicker {
    fn settings(&self) -> TickerSettings {
        TickerSettings {
            name: NAME,
            first: Duration::ZERO,
            period: LOOK_AGAIN,
            jitter: 0.0,
            limit: Duration::from_mins(1),
            backoff: Backoff::doubling(Duration::from_secs(1), LOOK_AGAIN),
        }
    }

    async fn tick(&mut self) -> Result<Next, TickFailure> {
        let now = self.intake.now();
        let mut next = None::<Timestamp>;
        for pack in self.intake.engine().packs().into_values() {
            next = next.into_iter().chain(self.look(Arc::as_ref(&pack), now).await?).min();
        }
        // A look that comes a moment early would find nothing, and then wait for long.
        let moment = Duration::from_millis(10);
        Ok(next.map_or(Next::Period, |next| Next::After(next.since(self.intake.now()) + moment)))
    }
}

#[cfg(test)]
mod tests {
    use provost_domain::calendar::Calendar;
    use provost_expr::TemplateTree;
    use serde_json::json;

    use super::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::from_rfc3339(text).unwrap()
    }

    /// What is due of an hourly schedule.
    #[track_caller]
    fn check(since: &str, now: &str, expect: Option<(&str, Option<(u64, bool)>)>) {
        let calendar = Calendar::parse("0 * * * *", "UTC").unwrap();
        let fields = TemplateTree::parse(&json!({}), &|_| None).unwrap();
        let found = due(&CaseSchedule { calendar, fields }, time(since), time(now));
        let expect = expect.map(|(last, case)| {
            let last = time(last);
            DueTime { last, case: case.map(|(missed, late)| ScheduledTime { at: last, missed, late }) }
        });
        assert_eq!(found, expect, "{since} {now}");
    }

    #[test]
    fn a_time_is_due_once_it_came_and_until_it_was_reached() {
        check("2026-12-01T10:30:00Z", "2026-12-01T10:59:59Z", None);
        check("2026-12-01T10:30:00Z", "2026-12-01T11:00:00Z", Some(("2026-12-01T11:00:00Z", Some((0, false)))));
        check("2026-12-01T11:00:00Z", "2026-12-01T11:30:00Z", None);
        // A clock that was set back repeats nothing.
        check("2026-12-01T11:00:00Z", "2026-12-01T09:30:00Z", None);
    }

    #[test]
    fn what_was_missed_is_one_case_that_says_so() {
        check("2026-12-01T10:00:00Z", "2026-12-01T11:02:01Z", Some(("2026-12-01T11:00:00Z", Some((0, true)))));
        check("2026-12-01T10:00:00Z", "2026-12-01T14:00:10Z", Some(("2026-12-01T14:00:00Z", Some((3, false)))));
        check(
            "2020-01-01T10:00:00Z",
            "2026-12-01T14:00:10Z",
            Some(("2026-12-01T14:00:00Z", Some((MISSED_MAX, false)))),
        );
    }

    #[test]
    fn what_was_missed_long_ago_is_no_case() {
        let calendar = Calendar::parse("0 6 * * 1", "UTC").unwrap();
        let schedule = CaseSchedule { calendar, fields: TemplateTree::parse(&json!({}), &|_| None).unwrap() };
        let due = |now: &str| due(&schedule, time("2026-11-30T05:00:00Z"), time(now)).unwrap();
        assert!(due("2026-12-01T06:00:00Z").case.is_some_and(|case| case.late));
        assert_eq!(due("2026-12-01T06:00:01Z"), DueTime { last: time("2026-11-30T06:00:00Z"), case: None });
    }
}
