//! One look at a session: what is told now, and when to look again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::need::{Need, NeedId, NeedKind};
use super::rules::{AttentionRule, AttentionRules};
use super::watchlist::{NeedRecord, Watchlist};
use crate::ids::{PackName, Seq};
use crate::time::Timestamp;

/// Most reminders of one need. Who did not come after so many is not brought by the next one.
const REMINDERS_MAX: u32 = 24;
/// How soon a session that waits for a server is looked at again: nothing else tells that an outage is over.
const OUTAGE_LOOK: Duration = Duration::from_mins(1);

/// What is seen of a session at one look.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The pack of the session, which rules may name.
    pub pack: &'a PackName,
    /// The fields of its case.
    pub fields: &'a Value,
    /// What it needs of people.
    pub needs: &'a [Need],
    /// Where the last acknowledgement stands in its log, and when it was made.
    pub acknowledged: Option<(Seq, Timestamp)>,
    /// The present.
    pub now: Timestamp,
}

/// Why somebody is told, from the least to the most pressing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TellStep {
    /// What they were told of is not needed any more.
    Ended,
    /// A person said that they are at it.
    Acknowledged,
    /// It is still needed.
    Reminder,
    /// Something is needed that was not needed before.
    Begun,
    /// An answer counts for a short while only.
    Expiring,
    /// Others did not come.
    Escalated,
    /// The session is over for good.
    Closed,
}

impl TellStep {
    /// Its word, as it stands in keys, logs and figures.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Acknowledged => "acknowledged",
            Self::Reminder => "reminder",
            Self::Begun => "begun",
            Self::Expiring => "expiring",
            Self::Escalated => "escalated",
            Self::Closed => "closed",
        }
    }
}

/// What one contact is told at one look: one message, whatever changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tell {
    /// The most pressing of the reasons.
    pub step: TellStep,
    /// The needs it is about.
    pub needs: BTreeSet<NeedId>,
}

/// What follows of one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttentionPlan {
    /// What is stored until the next one.
    pub watchlist: Watchlist,
    /// Who is told what.
    pub tells: BTreeMap<String, Tell>,
    /// When to look again though nothing came.
    pub next_at: Option<Timestamp>,
}

/// Decides what is told now.
pub fn plan(before: Watchlist, look: &Look<'_>, rules: &AttentionRules) -> AttentionPlan {
    let plan = AttentionPlan { watchlist: before, tells: BTreeMap::new(), next_at: None };
    let mut planning = Planning { plan, look, rules };
    planning.end();
    planning.acknowledge();
    for need in look.needs {
        planning.need(need);
    }
    if !planning.plan.tells.is_empty() {
        planning.plan.watchlist.messages += 1;
    }
    let told = planning.plan.tells.keys().cloned();
    planning.plan.watchlist.told.extend(told);
    planning.plan
}

struct Planning<'a> {
    plan: AttentionPlan,
    look: &'a Look<'a>,
    rules: &'a AttentionRules,
}

impl Planning<'_> {
    fn tell(&mut self, contacts: &BTreeSet<String>, step: TellStep, need: &NeedId) {
        for contact in contacts {
            let tell = self.plan.tells.entry(contact.clone());
            let tell = tell.or_insert_with(|| Tell { step, needs: BTreeSet::new() });
            tell.step = tell.step.max(step);
            tell.needs.insert(need.clone());
        }
    }

    fn again_at(&mut self, at: Timestamp) {
        self.plan.next_at = Some(self.plan.next_at.map_or(at, |other| other.min(at)));
    }

    /// What is not needed any more is told to whoever was told of it, and forgotten.
    fn end(&mut self) {
        let needs = std::mem::take(&mut self.plan.watchlist.needs);
        for (id, watched) in needs {
            if self.look.needs.iter().any(|need| need.id == id) {
                self.plan.watchlist.needs.insert(id, watched);
            } else {
                self.tell(&watched.told, TellStep::Ended, &id);
            }
        }
    }

    /// An acknowledgement is for what was needed when it was made, and not for what came since.
    fn acknowledge(&mut self) {
        let Some((seq, at)) = self.look.acknowledged.filter(|(seq, _)| *seq > self.plan.watchlist.acknowledged) else {
            return;
        };
        self.plan.watchlist.acknowledged = seq;
        let mut needs = std::mem::take(&mut self.plan.watchlist.needs);
        for (id, watched) in needs.iter_mut().filter(|(_, watched)| watched.since <= at && !watched.acknowledged) {
            watched.acknowledged = true;
            self.tell(&watched.told, TellStep::Acknowledged, id);
        }
        self.plan.watchlist.needs = needs;
    }

    fn need(&mut self, need: &Need) {
        let now = self.look.now;
        if need.from > now {
            return self.again_at(need.from);
        }
        if need.kind == NeedKind::Outage {
            self.again_at(now.plus(OUTAGE_LOOK));
        }
        let since = need.since.unwrap_or(now);
        let known = self.plan.watchlist.needs.remove(&need.id);
        let mut watched = known.unwrap_or_else(|| NeedRecord::new(need.kind, since));
        if need.kind == NeedKind::Closed {
            self.close(need, &mut watched);
        }
        match self.rules.rule(need.kind, self.look.pack, self.look.fields, now) {
            Some(rule) => self.by_rule(rule, need, &mut watched),
            None => {
                // Perhaps at another time of day.
                if let Some(at) = self.rules.next_change(now).filter(|_| watched.first_told.is_none()) {
                    self.again_at(at);
                }
            }
        }
        self.plan.watchlist.needs.insert(need.id.clone(), watched);
    }

    /// Whoever was told of the session is told that it is over, at any hour.
    fn close(&mut self, need: &Need, watched: &mut NeedRecord) {
        if !watched.expiring {
            // Marks that it was done; what is over expires no more.
            watched.expiring = true;
            let told = self.plan.watchlist.told.clone();
            watched.told.extend(told.iter().cloned());
            self.tell(&told, TellStep::Closed, &need.id);
        }
    }

    fn by_rule(&mut self, rule: &AttentionRule, need: &Need, watched: &mut NeedRecord) {
        let now = self.look.now;
        if let Some(until) = self.quiet_until(rule, need) {
            // What would come within these hours comes at their end, if it is still needed then.
            return self.again_at(until);
        }
        let Some(first) = watched.first_told else {
            let contacts: BTreeSet<String> =
                rule.tell.iter().filter(|to| !watched.told.contains(*to)).cloned().collect();
            let step = if need.kind == NeedKind::Closed { TellStep::Closed } else { TellStep::Begun };
            self.tell(&contacts, step, &need.id);
            watched.told.extend(contacts);
            (watched.first_told, watched.last_told) = (Some(now), Some(now));
            return self.plan_ahead(rule, need, watched);
        };
        if need.kind == NeedKind::Closed {
            return;
        }
        if !watched.acknowledged {
            self.escalate(rule, need, watched, first);
            self.remind(rule, need, watched);
        }
        self.expire(need, watched);
        self.plan_ahead(rule, need, watched);
    }

    /// The end of the quiet hours that hold a need back.
    fn quiet_until(&self, rule: &AttentionRule, need: &Need) -> Option<Timestamp> {
        let quiet = rule.quiet.as_ref().filter(|quiet| quiet.contains(self.look.now))?;
        let end = quiet.next_change(self.look.now)?;
        let too_late = need.until.is_some_and(|until| until <= end);
        (!too_late).then_some(end)
    }

    fn escalate(&mut self, rule: &AttentionRule, need: &Need, watched: &mut NeedRecord, first: Timestamp) {
        while let Some(next) = rule.escalate.get(watched.escalations) {
            if first.plus(next.after) > self.look.now {
                break;
            }
            watched.escalations += 1;
            watched.last_told = Some(self.look.now);
            let contacts: BTreeSet<String> = next.to.iter().cloned().collect();
            self.tell(&contacts, TellStep::Escalated, &need.id);
            watched.told.extend(contacts);
        }
    }

    fn remind(&mut self, rule: &AttentionRule, need: &Need, watched: &mut NeedRecord) {
        let due = reminder_at(rule, watched).is_some_and(|at| at <= self.look.now);
        if due {
            watched.reminders += 1;
            watched.last_told = Some(self.look.now);
            self.tell(&watched.told, TellStep::Reminder, &need.id);
        }
    }

    /// It expires soon: told once, also where somebody is at it.
    fn expire(&mut self, need: &Need, watched: &mut NeedRecord) {
        let soon = need.until.is_some_and(|until| until.minus(self.rules.expiring) <= self.look.now);
        if soon && !watched.expiring {
            watched.expiring = true;
            watched.last_told = Some(self.look.now);
            self.tell(&watched.told, TellStep::Expiring, &need.id);
        }
    }

    /// When something follows by time alone.
    fn plan_ahead(&mut self, rule: &AttentionRule, need: &Need, watched: &mut NeedRecord) {
        let now = self.look.now;
        if let Some(soon) = need.until.map(|until| until.minus(self.rules.expiring)).filter(|_| !watched.expiring) {
            // One that begins so late says so in its first message.
            if soon <= now {
                watched.expiring = true;
            } else {
                self.again_at(soon);
            }
        }
        if watched.acknowledged || need.kind == NeedKind::Closed {
            return;
        }
        if let Some(at) = reminder_at(rule, watched) {
            self.again_at(at);
        }
        if let (Some(first), Some(next)) = (watched.first_told, rule.escalate.get(watched.escalations)) {
            self.again_at(first.plus(next.after));
        }
    }
}

fn reminder_at(rule: &AttentionRule, watched: &NeedRecord) -> Option<Timestamp> {
    let last = watched.last_told.filter(|_| watched.reminders < REMINDERS_MAX)?;
    Some(last.plus(rule.remind_after?))
}
