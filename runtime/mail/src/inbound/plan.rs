//! What is to be done about the deliveries of a group. Only decides: nothing happens here.
//!
//! | the session of the group | an alert not reported before | the same alert again | an alert that is over |
//! |---|---|---|---|
//! | none | opens a session | | nothing to work on |
//! | open | is sent to it, once | nothing | is sent to it, once |
//! | ended | opens a new session, child of the old one | nothing | is sent to it, once; no status moves |

use std::collections::BTreeMap;

use provost_domain::ids::{CmdId, Digest, SessionId};
use provost_domain::port::{Known, Mark};
use provost_domain::principal::Principal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::draft::{GroupSession, PlanDraft, PlannedSession};
use super::notice::Notice;

/// Something to record on a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct PlannedSignal {
    pub(super) session: SessionId,
    pub(super) cmd_id: CmdId,
    pub(super) payload: Value,
}

/// All that is to be done, stored before any of it is. A plan read back from the store has fields that are not checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DeliveryPlan<F = Value> {
    /// The place of the last delivery it is about.
    pub(super) upto: u64,
    /// Who delivered.
    pub(super) by: Principal,
    pub(super) open: Option<PlannedSession<F>>,
    #[serde(rename = "told")]
    pub(super) signals: Vec<PlannedSignal>,
    /// The session the group is with afterwards.
    pub(super) session: Option<SessionId>,
    pub(super) marks: Vec<Mark>,
    /// The other sessions the deliveries speak of: those that get a signal, and those that got one before about what the
    /// deliveries repeat. Absent in plans stored before this was noted.
    #[serde(default = "Vec::new")]
    pub(super) about: Vec<SessionId>,
    /// What is done, in few words.
    pub(super) note: String,
}

impl<F> DeliveryPlan<F> {
    /// Whether there is nothing to do besides finishing the deliveries.
    pub(super) fn is_idle(&self) -> bool {
        self.open.is_none() && self.signals.is_empty() && self.marks.is_empty()
    }
}

/// Why the stored plan of a group of deliveries cannot be read; `None` if it can.
pub fn unreadable_plan(stored: &str) -> Option<String> {
    serde_json::from_str::<DeliveryPlan>(stored).err().map(|error| error.to_string())
}

/// What a plan is made of.
#[derive(Debug)]
pub(super) struct PlanFacts<'a, F = Value> {
    pub(super) group: Digest,
    pub(super) by: Principal,
    /// The session the group is with.
    pub(super) standing: Option<GroupSession>,
    /// What was reported before, by mark.
    pub(super) known: BTreeMap<String, Known>,
    pub(super) notices: &'a [Notice<F>],
    /// The place of the last delivery.
    pub(super) upto: u64,
    /// The id of a session, should one be opened.
    pub(super) fresh: SessionId,
}

/// None of the deliveries can be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PlanError {
    pub(super) reason: String,
    /// The sessions they speak of.
    pub(super) about: Vec<SessionId>,
}

/// Decides what the deliveries of a group come to.
pub(super) fn decide<F: Clone>(facts: PlanFacts<'_, F>) -> Result<DeliveryPlan<F>, PlanError> {
    let PlanFacts { group, by, standing, known, notices, upto, fresh } = facts;
    let mut draft = PlanDraft::new(fresh, standing, known);
    for notice in notices {
        for alert in &notice.alerts {
            draft.take(alert, notice.refires);
        }
    }
    if let Some(reason) = draft.unopenable.take().filter(|_| draft.marks.is_empty()) {
        return Err(PlanError { reason, about: draft.about.into_iter().collect() });
    }
    let note = draft.note();
    let session = draft.standing.map(|standing| standing.session);
    draft.about.extend(draft.news.keys());
    draft.about.retain(|about| Some(*about) != session);
    let signals = draft.news.into_iter().enumerate().map(|(index, (session, news))| PlannedSignal {
        session,
        cmd_id: command_id(group, upto, index),
        payload: news.payload(),
    });
    Ok(DeliveryPlan {
        upto,
        by,
        signals: signals.collect(),
        session,
        marks: draft.marks.into_iter().map(|(name, Known { ended, session })| Mark { name, ended, session }).collect(),
        about: draft.about.into_iter().collect(),
        open: draft.open,
        note,
    })
}

/// Places of a group only grow, so no two plans that were performed share an id.
fn command_id(group: Digest, upto: u64, index: usize) -> CmdId {
    let parts: [&[u8]; 3] = [group.as_bytes(), &upto.to_be_bytes(), &(index as u64).to_be_bytes()];
    CmdId::new(Digest::of_parts(&parts).hex())
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use serde_json::json;

    use super::super::draft::LISTED_MAX;
    use super::super::notice::{Alert, AlertChange, Opening};
    use super::*;

    fn id(n: u128) -> SessionId {
        SessionId::new(uuid::Uuid::from_u128(n))
    }

    fn alert(mark: &str, change: AlertChange) -> Alert {
        Alert { mark: mark.to_owned(), change, brief: json!(mark) }
    }

    fn fires(mark: &str) -> Alert {
        let opening = Opening { fields: json!({"alert": mark}), title: mark.to_owned() };
        alert(mark, AlertChange::Firing(Ok(Box::new(opening))))
    }

    fn over(mark: &str) -> Alert {
        alert(mark, AlertChange::Resolved)
    }

    struct Given {
        standing: Option<GroupSession>,
        known: Vec<(&'static str, bool)>,
        refires: bool,
        /// Who was told about what is known.
        told: Option<u128>,
    }

    /// One notice per list of alerts.
    fn decided(given: &Given, alerts: &[&[Alert]]) -> Result<DeliveryPlan, PlanError> {
        let told = given.told.map(id);
        let notice =
            |alerts: &&[Alert]| Notice { group: Digest::of(b"g"), alerts: alerts.to_vec(), refires: given.refires };
        decide(PlanFacts {
            group: Digest::of(b"g"),
            by: Principal::parse("intake:a"),
            standing: given.standing,
            known: given
                .known
                .iter()
                .map(|(name, ended)| ((*name).to_owned(), Known { ended: *ended, session: told }))
                .collect(),
            notices: &alerts.iter().map(notice).collect::<Vec<_>>(),
            upto: 9,
            fresh: id(7),
        })
    }

    const NEW: Given = Given { standing: None, known: Vec::new(), refires: false, told: None };

    fn with(ended: bool, known: &[(&'static str, bool)]) -> Given {
        Given {
            standing: Some(GroupSession { session: id(1), ended, erased: false }),
            known: known.to_vec(),
            refires: false,
            told: Some(1),
        }
    }

    /// What is opened, what is told to whom, and which session the group is with.
    type Outline = (Option<(Value, Option<SessionId>)>, Vec<(SessionId, Value)>, Option<SessionId>);

    fn outline(plan: DeliveryPlan) -> Outline {
        let open = plan.open.map(|open| (open.fields["alert"].clone(), open.parent));
        let told = plan.signals.into_iter().map(|signal| {
            let part = |name: &str| signal.payload[name]["alerts"].clone();
            (signal.session, json!([part("joined"), part("resolved")]))
        });
        (open, told.collect(), plan.session)
    }

    #[track_caller]
    fn check(given: &Given, alerts: &[&[Alert]], expect: &Outline) {
        assert_eq!(&outline(decided(given, alerts).unwrap()), expect);
    }

    #[test]
    fn a_new_group_opens_one_session_however_often_it_is_told() {
        check(&NEW, &[&[fires("a")], &[fires("a")], &[fires("a")]], &(Some((json!("a"), None)), vec![], Some(id(7))));
        let joined = (id(7), json!([["b"], []]));
        check(&NEW, &[&[fires("a"), fires("b")]], &(Some((json!("a"), None)), vec![joined], Some(id(7))));
        check(&NEW, &[&[over("a")]], &(None, vec![], None));
    }

    #[test]
    fn an_open_session_is_told_only_what_is_new() {
        let given = with(false, &[("a", false), ("b", true)]);
        check(&given, &[&[fires("a"), over("b")]], &(None, vec![], Some(id(1))));
        assert!(decided(&given, &[&[fires("a")]]).unwrap().is_idle());
        check(&given, &[&[fires("b")]], &(None, vec![], Some(id(1))));
        let told = (id(1), json!([["c"], ["a"]]));
        check(&given, &[&[fires("c")], &[over("a"), fires("c")], &[over("a")]], &(None, vec![told], Some(id(1))));
    }

    #[test]
    fn an_ended_session_hears_of_the_end_and_a_new_alert_opens_its_child() {
        let given = with(true, &[("a", false)]);
        check(&given, &[&[fires("a")]], &(None, vec![], Some(id(1))));
        check(&given, &[&[over("a")]], &(None, vec![(id(1), json!([[], ["a"]]))], Some(id(1))));
        let told = vec![(id(1), json!([[], ["a"]])), (id(7), json!([["c"], []]))];
        check(&given, &[&[over("a"), fires("b"), fires("c")]], &(Some((json!("b"), Some(id(1)))), told, Some(id(7))));
    }

    #[test]
    fn what_is_over_fires_anew_where_the_sender_means_it_so() {
        let given = Given { refires: true, ..with(true, &[("a", true)]) };
        check(&given, &[&[fires("a")]], &(Some((json!("a"), Some(id(1)))), vec![], Some(id(7))));
        let all = alert("", AlertChange::AllResolved);
        check(&given, &[from_ref(&all)], &(None, vec![], Some(id(1))));
        let given = Given { refires: true, ..with(false, &[("a", false), ("b", false)]) };
        let plan = decided(&given, &[from_ref(&all), from_ref(&all)]).unwrap();
        assert_eq!(plan.signals.len(), 1);
        assert!(plan.marks.iter().all(|mark| mark.ended) && plan.marks.len() == 2, "{plan:?}");
    }

    #[test]
    fn what_opens_nothing_says_why_and_is_not_marked() {
        let bad = alert("a", AlertChange::Firing(Err("no label".to_owned())));
        assert_eq!(decided(&NEW, &[from_ref(&bad)]), Err(PlanError { reason: "no label".to_owned(), about: vec![] }));
        let known = Given { known: vec![("b", false)], told: Some(5), ..NEW };
        assert_eq!(decided(&known, &[&[bad.clone(), fires("b")]]).unwrap_err().about, [id(5)]);
        let plan = decided(&NEW, &[&[bad.clone(), fires("b")]]).unwrap();
        assert_eq!(plan.marks, [Mark { name: "b".to_owned(), ended: false, session: Some(id(7)) }]);
        let told = vec![(id(1), json!([["a"], []]))];
        check(&with(false, &[]), &[&[bad]], &(None, told, Some(id(1))));
    }

    #[test]
    fn deliveries_speak_of_all_that_are_or_were_told_of_what_they_say() {
        let about = |given: &Given, alerts: &[Alert]| {
            let plan = decided(given, &[alerts]).unwrap();
            let marks = plan.marks.into_iter().map(|mark| (mark.name, mark.session.unwrap())).collect::<Vec<_>>();
            (plan.about, marks)
        };
        let ended = with(true, &[("a", false)]);
        let (a, b) = (|n| ("a".to_owned(), id(n)), |n| ("b".to_owned(), id(n)));
        assert_eq!(about(&ended, &[over("a"), fires("b")]), (vec![id(1)], vec![a(1), b(7)]), "it is told of the end");
        assert_eq!(about(&ended, &[fires("a"), fires("b")]), (vec![id(1)], vec![b(7)]), "it was told before");
        let moved = Given { told: Some(5), ..with(false, &[("a", false)]) };
        assert_eq!(about(&moved, &[fires("a")]), (vec![id(5)], vec![]), "nothing new");
        assert_eq!(about(&moved, &[fires("b")]), (vec![], vec![b(1)]), "not about what another was told");
        assert_eq!(about(&NEW, &[fires("a"), fires("b")]), (vec![], vec![a(7), b(7)]));
    }

    #[test]
    fn a_storm_is_one_signal_that_counts_more_than_it_lists() {
        let many: Vec<Alert> = (0..10_000).map(|n| fires(&n.to_string())).collect();
        let plan = decided(&NEW, &[&many]).unwrap();
        assert_eq!((plan.marks.len(), plan.signals.len(), plan.note.as_str()), (10_000, 1, "opened, 9999 joined"));
        let joined = &plan.signals[0].payload["joined"];
        assert_eq!((&joined["count"], joined["alerts"].as_array().unwrap().len()), (&json!(9_999), LISTED_MAX));
        let stored = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<DeliveryPlan>(&stored).unwrap(), plan);
    }
}
