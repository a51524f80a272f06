//! A plan while it is drafted, alert by alert.

use std::collections::{BTreeMap, BTreeSet};

use provost_domain::ids::SessionId;
use provost_domain::port::Known;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::notice::{Alert, AlertChange, Opening};

/// Alerts listed in full in one signal; more are only counted.
pub(super) const LISTED_MAX: usize = 20;

/// A session to open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PlannedSession<F = Value> {
    pub(super) session: SessionId,
    pub(super) title: String,
    pub(super) fields: F,
    pub(super) parent: Option<SessionId>,
}

/// How the session stands that a group's deliveries went to last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct GroupSession {
    pub(super) session: SessionId,
    pub(super) ended: bool,
    /// No signal can reach it any more, and it is the parent of no session.
    pub(super) erased: bool,
}

/// The alerts one session gets a signal about.
#[derive(Debug, Default)]
pub(super) struct News {
    joined: Vec<Value>,
    resolved: Vec<Value>,
}

#[derive(Debug)]
pub(super) struct PlanDraft<F> {
    fresh: SessionId,
    pub(super) standing: Option<GroupSession>,
    known: BTreeMap<String, Known>,
    /// What is newly known.
    pub(super) marks: BTreeMap<String, Known>,
    pub(super) open: Option<PlannedSession<F>>,
    pub(super) news: BTreeMap<SessionId, News>,
    /// The sessions that were told before about what the deliveries repeat.
    pub(super) about: BTreeSet<SessionId>,
    /// Why the first alert that cannot open a session cannot.
    pub(super) unopenable: Option<String>,
}

impl<F: Clone> PlanDraft<F> {
    pub(super) fn new(fresh: SessionId, standing: Option<GroupSession>, known: BTreeMap<String, Known>) -> Self {
        let (marks, news, about) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
        Self { fresh, standing, known, marks, open: None, news, about, unopenable: None }
    }

    /// Adds one alert of a delivery.
    pub(super) fn take(&mut self, alert: &Alert<F>, refires: bool) {
        let known = self.known.get(&alert.mark).copied();
        self.about.extend(known.and_then(|known| known.session));
        let known = known.map(|known| known.ended);
        match &alert.change {
            AlertChange::Firing(opening) => {
                if known.is_none() || (known == Some(true) && refires) {
                    self.fires(alert, opening);
                }
            }
            AlertChange::Resolved => {
                if known != Some(true) {
                    self.over(alert, vec![alert.mark.clone()]);
                }
            }
            AlertChange::AllResolved => {
                let open = self.known.iter().filter(|(_, known)| !known.ended).map(|(name, _)| name.clone());
                let open: Vec<String> = open.collect();
                if !open.is_empty() {
                    self.over(alert, open);
                }
            }
        }
    }

    fn fires(&mut self, alert: &Alert<F>, opening: &Result<Box<Opening<F>>, String>) {
        match (self.standing, opening) {
            (Some(GroupSession { session, ended: false, .. }), _) => {
                self.news_for(session).joined.push(alert.brief.clone());
            }
            (old, Ok(opening)) => {
                let Opening { fields, title } = (**opening).clone();
                let parent = old.map(|old| old.session);
                self.open = Some(PlannedSession { session: self.fresh, title, fields, parent });
                self.standing = Some(GroupSession { session: self.fresh, ended: false, erased: false });
            }
            (_, Err(reason)) => {
                self.unopenable.get_or_insert_with(|| reason.clone());
                return;
            }
        }
        self.mark(alert.mark.clone(), false);
    }

    fn over(&mut self, alert: &Alert<F>, marks: Vec<String>) {
        let Some(GroupSession { session, .. }) = self.standing else { return };
        self.news_for(session).resolved.push(alert.brief.clone());
        for mark in marks {
            self.mark(mark, true);
        }
    }

    fn mark(&mut self, name: String, ended: bool) {
        let known = Known { ended, session: self.standing.map(|standing| standing.session) };
        self.known.insert(name.clone(), known);
        self.marks.insert(name, known);
    }

    fn news_for(&mut self, session: SessionId) -> &mut News {
        self.news.entry(session).or_default()
    }

    /// What is done, in few words.
    pub(super) fn note(&self) -> String {
        let (joined, resolved) = self
            .news
            .values()
            .fold((0, 0), |(joined, resolved), news| (joined + news.joined.len(), resolved + news.resolved.len()));
        let mut parts = Vec::new();
        if self.open.is_some() {
            parts.push("opened".to_owned());
        }
        if joined > 0 {
            parts.push(format!("{joined} joined"));
        }
        if resolved > 0 {
            parts.push(format!("{resolved} resolved"));
        }
        match (parts.is_empty(), self.standing) {
            (false, _) => parts.join(", "),
            (true, Some(_)) => "nothing new".to_owned(),
            (true, None) => "nothing to work on".to_owned(),
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
        json!({"joined": listed(self.joined), "resolved": listed(self.resolved)})
    }
}
