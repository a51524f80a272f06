//! What of a delivery can be worked on.

use std::collections::BTreeMap;

use provost_domain::fields::CheckedFields;
use provost_domain::ids::{Digest, PackName};
use provost_domain::nesting;
use provost_domain::pack::Pack;
use serde_json::{Map, Value};

use super::case::CaseId;
use super::formats::DeliveryFormat;
use super::mapping::{SentData, Taking};
use super::opening::{Opening, PackFields};
use super::reading::{AlertChange, BadDelivery, FormatReading, ReadAlert, Repetition};

/// Most levels kept of what a session is sent about an alert.
const ALERT_LEVELS: usize = nesting::LEVELS_MAX - 4;
/// How many alerts of one case are looked at for one that can open a session.
const TRIED_MAX: usize = 3;

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
    /// The group it belongs to, as its sender or the pack says.
    pub(super) group: Digest,
    /// What it says, in order; nothing when there is nothing to do.
    pub(super) alerts: Vec<Alert>,
    /// For each case an opening whose fields fit the pack.
    pub(super) openings: BTreeMap<CaseId, Opening>,
    pub(super) repetition: Repetition,
}

/// Alerts of a delivery that cannot be worked on, by their place in it, each with the reason.
pub(super) type RefusedAlerts = BTreeMap<usize, String>;

/// What a format read, looked at with the pack of its sessions.
#[derive(Debug)]
struct NoticeDraft<'a> {
    /// In the order in which they are asked.
    packs: Vec<PackFields<'a>>,
    /// The group that the pack of the first alert makes of it.
    group: Option<Digest>,
    /// What the mapping reads: what the alerts have in common, and the present one.
    data: Value,
    alerts: Vec<(usize, Alert)>,
    /// What was found of each case: an opening that fits, or why the last one tried does not.
    cases: BTreeMap<CaseId, CaseCheck>,
    refused: RefusedAlerts,
}

/// What a pack makes of an alert.
#[derive(Debug)]
enum PackAnswer {
    /// It is not for the pack.
    PassedOver,
    Opening(CaseId, Opening),
    /// Nothing, for this reason.
    None(String),
}

#[derive(Debug, Default)]
struct CaseCheck {
    tried: usize,
    good: Option<Opening>,
    problem: String,
}

/// Keeps the alerts that can be worked on. Each goes to the first of the packs that takes it. One odd alert among good ones is
/// refused alone.
///
/// # Errors
/// Alerts are refused, and none is left.
pub(super) fn checked(
    packs: &[&Pack],
    format: DeliveryFormat,
    reading: FormatReading,
) -> Result<(Notice, RefusedAlerts), BadDelivery> {
    let FormatReading { group: sent, common, alerts, repetition, key: _ } = reading;
    let data = Value::Object(common);
    let packs = packs.iter().map(|pack| PackFields::of(pack, format)).collect();
    let mut draft =
        NoticeDraft { packs, group: None, data, alerts: Vec::new(), cases: BTreeMap::new(), refused: BTreeMap::new() };
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
    let NoticeDraft { alerts, cases, refused, group, .. } = draft;
    if let Some(reason) = refused.values().next().filter(|_| alerts.is_empty()) {
        let more = refused.len() - 1;
        let reason = if more == 0 { reason.clone() } else { format!("{reason} (and {more} more)") };
        return Err(if readable { BadDelivery::Fields(reason) } else { BadDelivery::Form(reason) });
    }
    let openings = cases.into_iter().filter_map(|(case, check)| Some((case, check.good?))).collect();
    let alerts: Vec<Alert> = alerts.into_iter().map(|(_, alert)| alert).collect();
    let case = || alerts.first().and_then(|alert| alert.case.as_ref()).map(|(case, _)| case.group());
    let group = group.or(sent).or_else(case).unwrap_or_else(|| Digest::of(format.as_str().as_bytes()));
    Ok((Notice { group, alerts, openings, repetition }, refused))
}

impl<'a> NoticeDraft<'a> {
    fn take(&mut self, place: usize, alert: ReadAlert) {
        let ReadAlert { mark, change, payload, mut brief } = alert;
        // A signal puts a few levels around what it lists.
        nesting::cut(&mut brief, ALERT_LEVELS);
        let opening = match payload.map(|payload| self.opening(payload, &mut brief)) {
            Some(PackAnswer::PassedOver) => return,
            Some(PackAnswer::Opening(case, opening)) => Ok((case, opening)),
            Some(PackAnswer::None(reason)) => Err(reason),
            None => Err("it only says that something is over".to_owned()),
        };
        match (change, &opening) {
            (AlertChange::Firing, Err(reason)) => return drop(self.refused.insert(place, reason.clone())),
            (AlertChange::Firing, Ok((case, opening))) => self.try_opening(*case, opening),
            (AlertChange::Resolved | AlertChange::AllResolved, _) => {}
        }
        self.alerts.push((place, Alert { mark, change, case: opening.ok(), brief }));
    }

    /// What the first pack that takes an alert makes of it. A pack that cannot tell whether it does is passed over; without
    /// another one the alert is refused.
    fn opening(&mut self, payload: Map<String, Value>, brief: &mut Value) -> PackAnswer {
        if let Some(data) = self.data.as_object_mut() {
            data.extend(payload);
        }
        let (sent, mut odd) = (SentData::new(&self.data), None);
        for (place, fields) in self.packs.iter().enumerate() {
            match fields.taking(&sent) {
                Taking::PassedOver => continue,
                Taking::CannotTell(reason) => {
                    odd = odd.or(Some(reason));
                    continue;
                }
                Taking::Taken => {}
            }
            self.group = self.group.or_else(|| fields.group(&sent));
            return match fields.opening(&sent, brief) {
                Ok(opening) => {
                    // Cases of the first pack are named as before there could be several.
                    let pack = fields.pack.filter(|_| place > 0).map(|pack| pack.name.clone());
                    let opening = Opening { pack, ..opening };
                    PackAnswer::Opening(fields.case(&opening), opening)
                }
                Err(failure) => PackAnswer::None(failure.to_string()),
            };
        }
        odd.map_or(PackAnswer::PassedOver, PackAnswer::None)
    }

    fn pack(&self, name: Option<&PackName>) -> Option<&'a Pack> {
        let mut packs = self.packs.iter().filter_map(|fields| fields.pack);
        name.map_or_else(
            || self.packs.first().and_then(|fields| fields.pack),
            |name| packs.find(|pack| pack.name == *name),
        )
    }

    fn try_opening(&mut self, case: CaseId, opening: &Opening) {
        let pack = self.pack(opening.pack.as_ref());
        let check = self.cases.entry(case).or_default();
        if check.good.is_some() || check.tried >= TRIED_MAX {
            return;
        }
        check.tried += 1;
        let Some(pack) = pack else { return };
        match CheckedFields::new(pack, opening.fields.clone()) {
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
