//! A plan while it is drafted, alert by alert.

use std::collections::{BTreeMap, BTreeSet};

use provost_domain::ids::{PackName, SessionId};
use provost_domain::port::Known;
use provost_domain::time::Timestamp;
use serde_json::{Value, json};

use super::burning::{AlertReport, CaseStanding, Reaction, reaction};
use super::case::{self, CaseId};
use super::loose::shortened;
use super::many::ManyTargets;
use super::notice::{Alert, Notice};
use super::opening::Opening;
use super::planned::{LISTED_MAX, PlannedSession};
use super::reading::{AlertChange, Repetition};

/// Longest reason why a session is stopped, in characters.
const REASON_MAX: usize = 200;

/// How a session stands that a group's deliveries speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GroupSession {
    pub(super) session: SessionId,
    pub(super) standing: CaseStanding,
    /// When something was last recorded in it.
    pub(super) progress_at: Timestamp,
}

/// What a draft begins with.
pub(super) struct DraftFacts<'a> {
    /// The sessions that the alerts may be about, by id; one that is missing was erased or never there.
    pub(super) sessions: BTreeMap<SessionId, GroupSession>,
    /// What the group keeps.
    pub(super) known: BTreeMap<String, Known>,
    /// The session of a group that keeps no cases yet.
    pub(super) standing: Option<SessionId>,
    pub(super) now: Timestamp,
    /// Most cases that one delivery opens.
    pub(super) max_cases: usize,
    /// Whether a session can be opened with this.
    pub(super) fits: &'a dyn Fn(&Opening) -> bool,
    /// Mints the id of a session.
    pub(super) fresh: &'a mut dyn FnMut() -> SessionId,
}

/// The alerts one session gets a signal about.
#[derive(Debug, Default)]
pub(super) struct News {
    joined: Vec<Value>,
    resolved: Vec<Value>,
    /// Those that still fire while nobody works on them.
    unattended: Vec<Value>,
    /// How many alerts that the session was told about fire, after all of this.
    firing: usize,
}

pub(super) struct PlanDraft<'a> {
    facts: DraftFacts<'a>,
    /// What is newly known.
    pub(super) marks: BTreeMap<String, Known>,
    pub(super) opens: Vec<PlannedSession>,
    /// What goes beyond the cases that one delivery opens, by pack.
    many: BTreeMap<Option<PackName>, ManyTargets>,
    /// The sessions that another one of their case supersedes, each with what it was about and what the other one is.
    pub(super) stops: BTreeMap<SessionId, String>,
    pub(super) news: BTreeMap<SessionId, News>,
    pub(super) retries: BTreeSet<SessionId>,
    pub(super) alarms: BTreeSet<SessionId>,
    /// The sessions that were told before about what the deliveries repeat.
    pub(super) about: BTreeSet<SessionId>,
    /// How many cases the present delivery opened.
    opened: usize,
}

impl<'a> PlanDraft<'a> {
    pub(super) fn new(facts: DraftFacts<'a>) -> Self {
        Self {
            facts,
            marks: BTreeMap::new(),
            opens: Vec::new(),
            many: BTreeMap::new(),
            stops: BTreeMap::new(),
            news: BTreeMap::new(),
            retries: BTreeSet::new(),
            alarms: BTreeSet::new(),
            about: BTreeSet::new(),
            opened: 0,
        }
    }

    /// Adds a delivery.
    pub(super) fn take(&mut self, notice: &Notice) {
        self.opened = 0;
        for alert in &notice.alerts {
            self.take_alert(notice, alert);
        }
    }

    /// Opens the sessions of many targets, if there are to be some, and counts what fires on.
    pub(super) fn finish(&mut self) {
        self.opens.extend(std::mem::take(&mut self.many).into_values().map(ManyTargets::session));
        let alerts = self.facts.known.iter().filter(|(name, known)| case::is_alert(name) && !known.ended);
        for session in alerts.filter_map(|(_, known)| known.session) {
            if let Some(news) = self.news.get_mut(&session) {
                news.firing += 1;
            }
        }
    }

    fn take_alert(&mut self, notice: &Notice, alert: &Alert) {
        let known = self.facts.known.get(&alert.mark).copied().filter(|_| case::is_alert(&alert.mark));
        self.about.extend(known.and_then(|known| known.session));
        match (alert.change, known.map(|known| known.ended)) {
            (AlertChange::Firing, Some(_)) if notice.repetition == Repetition::SameEvent => {}
            (AlertChange::Firing, Some(false)) => {
                self.still_fires(notice, alert, known.and_then(|known| known.session));
            }
            (AlertChange::Firing, Some(true))
                if notice.repetition == Repetition::StillFires && !self.is_again(&alert.mark) =>
            {
                self.mark(case::again(&alert.mark), Known { ended: false, session: None });
            }
            (AlertChange::Firing, Some(true) | None) => self.fires(notice, alert),
            (AlertChange::Resolved, Some(true)) => {}
            (AlertChange::Resolved, Some(false) | None) => self.resolved(alert, known.and_then(|known| known.session)),
            (AlertChange::AllResolved, _) => self.all_resolved(alert),
        }
    }

    /// Whether it was reported as firing after its end before: once may be an old delivery that comes late.
    fn is_again(&self, mark: &str) -> bool {
        self.facts.known.get(&case::again(mark)).is_some_and(|known| !known.ended)
    }

    /// The session that a case is with.
    fn session_of(&self, case: Option<CaseId>) -> Option<SessionId> {
        let own = case.and_then(|case| self.facts.known.get(&case.mark()));
        let keeps_cases = || self.facts.known.keys().any(|name| case::is_case(name));
        match own {
            Some(known) => known.session,
            None if keeps_cases() => None,
            None => self.facts.standing,
        }
    }

    fn standing(&self, session: Option<SessionId>) -> Option<GroupSession> {
        session.and_then(|session| self.facts.sessions.get(&session)).copied()
    }

    fn fires(&mut self, notice: &Notice, alert: &Alert) {
        let Some((case, opening)) = &alert.case else { return };
        self.supersede(self.session_of(Some(*case)), opening);
        let (case, again) = (*case, case::again(&alert.mark));
        let session = match self.react(self.session_of(Some(case)), AlertReport::Fires) {
            (Reaction::Open, old) => {
                let Some(session) = self.open(notice, alert, old) else { return };
                session
            }
            (Reaction::Tell, Some(session)) => {
                self.news_for(session).joined.push(alert.brief.clone());
                session
            }
            (Reaction::Retry, Some(session)) => {
                self.news_for(session).joined.push(alert.brief.clone());
                self.retry(session);
                session
            }
            (Reaction::Alarm, Some(session)) => {
                self.news_for(session).joined.push(alert.brief.clone());
                self.alarm(session, alert);
                session
            }
            (Reaction::Tell | Reaction::Retry | Reaction::Alarm | Reaction::Nothing, _) => return,
        };
        if self.facts.known.contains_key(&again) {
            self.mark(again, Known { ended: true, session: None });
        }
        self.mark(case.mark(), Known { ended: false, session: Some(session) });
        self.mark(alert.mark.clone(), Known { ended: false, session: Some(session) });
    }

    /// Stops the open session of a case that was opened for another version of it; then its child is opened.
    fn supersede(&mut self, session: Option<SessionId>, opening: &Opening) {
        let open = self.standing(session).filter(|open| open.standing == CaseStanding::Live);
        let Some((GroupSession { session, .. }, version)) = open.zip(opening.version.as_ref()) else { return };
        let (prefix, own) = (case::versions(session), case::version(session, version));
        let noted = self.facts.known.range(prefix.clone()..).next().map(|(name, _)| name.clone());
        // Without a note it was not opened here, or for no version: then nothing says that it is another one.
        if noted.is_some_and(|noted| noted.starts_with(&prefix) && noted != own) {
            self.stops.insert(session, shortened(&format!("superseded by {version}"), REASON_MAX));
            self.set(session, CaseStanding::Stopped);
        }
    }

    fn still_fires(&mut self, notice: &Notice, alert: &Alert, session: Option<SessionId>) {
        match self.react(session, AlertReport::StillFires) {
            // The case may have gone to another session meanwhile, which works on it.
            (Reaction::Open, Some(_)) if alert.case.is_some() => self.fires(notice, alert),
            (Reaction::Retry, Some(session)) => self.retry(session),
            (Reaction::Alarm, Some(session)) => self.alarm(session, alert),
            (Reaction::Open | Reaction::Tell | Reaction::Retry | Reaction::Alarm | Reaction::Nothing, _) => {}
        }
    }

    /// What a report about a session leads to, and that session, if it is there.
    fn react(&self, session: Option<SessionId>, report: AlertReport) -> (Reaction, Option<SessionId>) {
        let found = self.standing(session);
        let quiet = found.map(|found| self.facts.now.since(found.progress_at)).unwrap_or_default();
        let retried = found.map_or(0, |found| self.retried(found.session));
        (reaction(found.map(|found| found.standing), report, quiet, retried), found.map(|found| found.session))
    }

    fn retried(&self, session: SessionId) -> usize {
        let prefix = case::retries(session);
        self.facts.known.range(prefix.clone()..).take_while(|(name, _)| name.starts_with(&prefix)).count()
    }

    fn retry(&mut self, session: SessionId) {
        if self.retries.insert(session) {
            let name = format!("{}{}", case::retries(session), self.retried(session));
            self.mark(name, Known { ended: true, session: Some(session) });
            self.set(session, CaseStanding::Live);
        }
    }

    fn alarm(&mut self, session: SessionId, alert: &Alert) {
        let name = case::alarm(session);
        if self.alarms.contains(&session) || !self.facts.known.contains_key(&name) {
            self.alarms.insert(session);
            self.news_for(session).unattended.push(alert.brief.clone());
            self.mark(name, Known { ended: true, session: Some(session) });
        }
    }

    fn set(&mut self, session: SessionId, standing: CaseStanding) {
        let progress_at = self.facts.now;
        self.facts.sessions.insert(session, GroupSession { session, standing, progress_at });
    }

    /// The session that an alert opens, or that takes it beyond the cases that one delivery opens.
    fn open(&mut self, notice: &Notice, alert: &Alert, parent: Option<SessionId>) -> Option<SessionId> {
        let (case, own) = alert.case.as_ref()?;
        let opening = if (self.facts.fits)(own) { own } else { notice.openings.get(case)? };
        if self.opened >= self.facts.max_cases {
            return Some(self.beyond(opening, alert));
        }
        self.opened += 1;
        let session = (self.facts.fresh)();
        let Opening { pack, version, fields, title, origin } = opening.clone();
        if let Some(version) = version {
            self.mark(case::version(session, &version), Known { ended: true, session: Some(session) });
        }
        self.opens.push(PlannedSession { session, pack, title, fields, origin, parent, partial: false });
        self.set(session, CaseStanding::Live);
        Some(session)
    }

    /// The session of many targets: the one that is open, or a new one.
    fn beyond(&mut self, opening: &Opening, alert: &Alert) -> SessionId {
        let name = case::many(opening.pack.as_ref());
        let open = self.facts.known.get(&name).and_then(|known| known.session);
        let open = self.standing(open).filter(|open| open.standing == CaseStanding::Live).map(|open| open.session);
        let session = open.unwrap_or_else(|| {
            let session = (self.facts.fresh)();
            self.many.insert(opening.pack.clone(), ManyTargets::new(session, opening.pack.clone()));
            self.set(session, CaseStanding::Live);
            self.mark(name, Known { ended: false, session: Some(session) });
            session
        });
        if let Some(many) = self.many.get_mut(&opening.pack).filter(|many| many.is(session)) {
            many.add(opening, &alert.brief);
        }
        self.news_for(session).joined.push(alert.brief.clone());
        session
    }

    fn resolved(&mut self, alert: &Alert, told: Option<SessionId>) {
        let case = alert.case.as_ref().map(|(case, _)| *case);
        let session = self.standing(told.or_else(|| self.session_of(case)));
        let Some(GroupSession { session, .. }) = session else { return };
        self.news_for(session).resolved.push(alert.brief.clone());
        self.mark(alert.mark.clone(), Known { ended: true, session: Some(session) });
    }

    fn all_resolved(&mut self, alert: &Alert) {
        let open = |(name, known): (&String, &Known)| {
            (case::is_alert(name) && !known.ended).then(|| (name.clone(), known.session))
        };
        let open: Vec<(String, Option<SessionId>)> = self.facts.known.iter().filter_map(open).collect();
        let mut told = BTreeSet::new();
        for (name, session) in open {
            let Some(GroupSession { session, .. }) = self.standing(session.or(self.facts.standing)) else { continue };
            if told.insert(session) {
                self.news_for(session).resolved.push(alert.brief.clone());
            }
            self.mark(name, Known { ended: true, session: Some(session) });
        }
    }

    fn mark(&mut self, name: String, known: Known) {
        self.facts.known.insert(name.clone(), known);
        self.marks.insert(name, known);
    }

    fn news_for(&mut self, session: SessionId) -> &mut News {
        self.news.entry(session).or_default()
    }

    /// What is done, in few words.
    pub(super) fn note(&self) -> String {
        let sum = |count: fn(&News) -> usize| self.news.values().map(count).sum::<usize>();
        let mut parts = Vec::new();
        match self.opens.len() {
            0 => {}
            1 => parts.push("opened".to_owned()),
            many => parts.push(format!("opened {many} sessions")),
        }
        let counts = [
            (sum(|news| news.joined.len()), "joined"),
            (sum(|news| news.resolved.len()), "resolved"),
            (self.stops.len(), "superseded"),
            (self.retries.len(), "tried again"),
            (self.alarms.len(), "without anybody at work"),
        ];
        parts.extend(counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")));
        match (parts.is_empty(), self.about.is_empty() && self.facts.standing.is_none()) {
            (false, _) => parts.join(", "),
            (true, false) => "nothing new".to_owned(),
            (true, true) => "nothing to work on".to_owned(),
        }
    }
}

impl News {
    /// The payload of the signal.
    pub(super) fn payload(self) -> Value {
        let listed = |alerts: Vec<Value>| {
            let count = alerts.len();
            json!({"count": count, "alerts": alerts.into_iter().take(LISTED_MAX).collect::<Vec<_>>()})
        };
        let (joined, resolved) = (listed(self.joined), listed(self.resolved));
        let mut payload = json!({"joined": joined, "resolved": resolved, "firing": self.firing});
        if let Some(payload) = payload.as_object_mut().filter(|_| !self.unattended.is_empty()) {
            payload.insert("unattended".to_owned(), listed(self.unattended));
        }
        payload
    }
}
