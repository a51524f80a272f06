//! What every wire format is read into, and what of it can be worked on.

use std::collections::BTreeMap;

use provost_domain::fields::CheckedFields;
use provost_domain::ids::Digest;
use provost_domain::nesting;
use provost_domain::pack::Pack;
use serde_json::Value;

use super::case::CaseId;
use super::fit::fitted;

/// Most levels kept of what a session is sent about an alert.
const ALERT_LEVELS: usize = nesting::LEVELS_MAX - 4;
/// How many alerts of one case are looked at for one that can open a session.
const TRIED_MAX: usize = 3;

/// What a session is opened with.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// The fields of the session.
    pub fields: Value,
    /// One line about it.
    pub title: String,
}

/// Why a delivery cannot be worked on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDelivery {
    /// It is not JSON.
    #[error("{0}")]
    Syntax(String),
    /// It is JSON of another form.
    #[error("{0}")]
    Form(String),
    /// A session cannot be opened with what it says.
    #[error("{0}")]
    Fields(String),
}

impl BadDelivery {
    /// From the reader's error; `form` names the form that was expected.
    pub(super) fn of(error: &serde_json::Error, form: &str) -> Self {
        let detail = format!("it does not have the form of {form}: {error}");
        if error.is_data() { Self::Form(detail) } else { Self::Syntax(detail) }
    }
}

/// What a delivery says of one alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlertChange {
    /// It fires.
    Firing,
    /// It is over.
    Resolved,
    /// Every alert of its group that was reported before is over.
    AllResolved,
}

/// One alert as a format reads it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ReadAlert {
    /// The same whenever the same alert is reported again.
    pub(super) mark: String,
    pub(super) change: AlertChange,
    /// What a session can be opened with, or why none can.
    pub(super) opening: Result<Opening, String>,
    /// What a session is sent about it.
    pub(super) brief: Value,
}

/// A body that was read, nothing of it checked yet.
#[derive(Debug)]
pub(super) struct FormatReading {
    /// The group it belongs to, as its sender says.
    pub(super) group: Digest,
    /// Its alerts in order, or why one cannot be read.
    pub(super) alerts: Vec<Result<ReadAlert, String>>,
    /// Whether an alert that is over fires anew when it is reported again. Else the report is an old delivery come late.
    pub(super) refires: bool,
    /// The name the sender has for its group; empty for a format without names.
    pub(super) key: String,
}

/// One alert that can be worked on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Alert {
    pub(super) mark: String,
    pub(super) change: AlertChange,
    /// Its case, and what a session can be opened with. `None` for an end that does not say.
    pub(super) case: Option<(CaseId, Opening)>,
    pub(super) brief: Value,
}

/// A delivery that can be worked on.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Notice {
    /// The group it belongs to, as its sender says.
    pub(super) group: Digest,
    /// What it says, in order; nothing when there is nothing to do.
    pub(super) alerts: Vec<Alert>,
    /// For each case an opening whose fields fit the pack.
    pub(super) openings: BTreeMap<CaseId, Opening>,
    pub(super) refires: bool,
}

/// Alerts of a delivery that cannot be worked on, by their place in it, each with the reason.
pub(super) type RefusedAlerts = BTreeMap<usize, String>;

/// What a format read, looked at with the pack of its sessions.
#[derive(Debug)]
struct NoticeDraft<'a> {
    pack: &'a Pack,
    alerts: Vec<(usize, Alert)>,
    /// What was found of each case: an opening that fits, or why the last one tried does not.
    cases: BTreeMap<CaseId, CaseCheck>,
    refused: RefusedAlerts,
}

#[derive(Debug, Default)]
struct CaseCheck {
    tried: usize,
    good: Option<Opening>,
    problem: String,
}

/// Keeps the alerts that can be worked on. One odd alert among good ones is refused alone.
///
/// # Errors
/// Alerts are refused, and none is left.
pub(super) fn checked(pack: &Pack, reading: FormatReading) -> Result<(Notice, RefusedAlerts), BadDelivery> {
    let FormatReading { group, alerts, refires, key: _ } = reading;
    let mut draft = NoticeDraft { pack, alerts: Vec::new(), cases: BTreeMap::new(), refused: BTreeMap::new() };
    let mut readable = false;
    for (place, alert) in alerts.into_iter().enumerate() {
        match alert {
            Ok(alert) => {
                readable = true;
                draft.take(place, alert);
            }
            Err(reason) => drop(draft.refused.insert(place, reason)),
        }
    }
    draft.refuse_cases();
    let NoticeDraft { alerts, cases, refused, .. } = draft;
    if let Some(reason) = refused.values().next().filter(|_| alerts.is_empty()) {
        let more = refused.len() - 1;
        let reason = if more == 0 { reason.clone() } else { format!("{reason} (and {more} more)") };
        return Err(if readable { BadDelivery::Fields(reason) } else { BadDelivery::Form(reason) });
    }
    let openings = cases.into_iter().filter_map(|(case, check)| Some((case, check.good?))).collect();
    let alerts = alerts.into_iter().map(|(_, alert)| alert).collect();
    Ok((Notice { group, alerts, openings, refires }, refused))
}

impl NoticeDraft<'_> {
    fn take(&mut self, place: usize, alert: ReadAlert) {
        let ReadAlert { mark, change, opening, mut brief } = alert;
        // A signal puts a few levels around what it lists.
        nesting::cut(&mut brief, ALERT_LEVELS);
        let case = opening.map(|Opening { fields, title }| {
            let mut fields = fitted(&self.pack.fields, &self.pack.rosters, fields);
            // One alert with an odd part still opens its session.
            nesting::cut(&mut fields, nesting::LEVELS_MAX);
            (CaseId::of(&self.pack.identity, &fields), Opening { fields, title })
        });
        match (change, &case) {
            (AlertChange::Firing, Err(reason)) => return drop(self.refused.insert(place, reason.clone())),
            (AlertChange::Firing, Ok((case, opening))) => self.try_opening(*case, opening),
            (AlertChange::Resolved | AlertChange::AllResolved, _) => {}
        }
        self.alerts.push((place, Alert { mark, change, case: case.ok(), brief }));
    }

    fn try_opening(&mut self, case: CaseId, opening: &Opening) {
        let check = self.cases.entry(case).or_default();
        if check.good.is_some() || check.tried >= TRIED_MAX {
            return;
        }
        check.tried += 1;
        match CheckedFields::new(self.pack, opening.fields.clone()) {
            Ok(_) => check.good = Some(opening.clone()),
            Err(error) => check.problem = error.to_string(),
        }
    }

    /// Refuses the alerts of cases that no session can be opened for.
    fn refuse_cases(&mut self) {
        let Self { alerts, cases, refused, .. } = self;
        alerts.retain(|(place, alert)| {
            let case = alert.case.as_ref().filter(|_| alert.change == AlertChange::Firing).map(|(case, _)| case);
            let Some(check) = case.and_then(|case| cases.get(case)).filter(|check| check.good.is_none()) else {
                return true;
            };
            refused.insert(*place, check.problem.clone());
            false
        });
    }
}
