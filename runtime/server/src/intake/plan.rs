//! What is to be done about a group's deliveries. Only decides: nothing happens here.
//!
//! | the group's session | an alert not known yet | a known one again | one that is over |
//! |---|---|---|---|
//! | none | opens a session | | nothing to work on |
//! | open | is told to it, once | nothing | is told to it, once |
//! | ended | opens a new session, child of the old one | nothing | is told to it, once; no status moves |

use std::collections::{BTreeMap, BTreeSet};

use provost_domain::ids::{CmdId, Digest, Principal, SessionId};
use provost_domain::port::{Known, Mark};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::notice::{Alert, Change, Notice, Opening};

/// Alerts listed in full in one signal; more are only counted.
const LISTED_MAX: usize = 20;

/// A session to open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Open {
    pub(crate) session: SessionId,
    pub(crate) title: String,
    pub(crate) fields: Value,
    pub(crate) parent: Option<SessionId>,
}

/// Something to record on a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) session: SessionId,
    pub(crate) cmd_id: CmdId,
    pub(crate) payload: Value,
}

/// All that is to be done, stored before any of it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// The last delivery it is about, by its place.
    pub(crate) upto: u64,
    /// Who delivered.
    pub(crate) by: Principal,
    pub(crate) open: Option<Open>,
    pub(crate) told: Vec<Told>,
    /// The session the group is with afterwards.
    pub(crate) session: Option<SessionId>,
    pub(crate) marks: Vec<Mark>,
    /// The other sessions the deliveries speak of: those that are told, and those that were told before about what they
    /// repeat.
    #[serde(default)]
    pub(crate) about: Vec<SessionId>,
    /// What is done, in few words.
    pub(crate) note: String,
}

impl Plan {
    /// Whether there is anything to do besides finishing the deliveries.
    pub(crate) fn is_idle(&self) -> bool {
        self.open.is_none() && self.told.is_empty() && self.marks.is_empty()
    }
}

/// The session a group is with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) session: SessionId,
    pub(crate) ended: bool,
    /// Nothing can be told to it any more, and it is nobody's parent.
    pub(crate) erased: bool,
}

/// What a plan is made of.
#[derive(Debug)]
pub(crate) struct Deliberation<'a> {
    pub(crate) group: Digest,
    pub(crate) by: Principal,
    pub(crate) standing: Option<Standing>,
    pub(crate) known: BTreeMap<String, Known>,
    pub(crate) notices: &'a [Notice],
    /// The last delivery's place.
    pub(crate) upto: u64,
    /// The id of a session, should one be opened.
    pub(crate) fresh: SessionId,
}

/// What one session is told.
#[derive(Debug, Default)]
struct News {
    joined: Vec<Value>,
    resolved: Vec<Value>,
}

#[derive(Debug)]
struct Draft {
    fresh: SessionId,
    standing: Option<Standing>,
    known: BTreeMap<String, Known>,
    marks: BTreeMap<String, Known>,
    open: Option<Open>,
    news: BTreeMap<SessionId, News>,
    about: BTreeSet<SessionId>,
    unopenable: Option<String>,
}

/// Nothing of it can be worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unworkable {
    /// Why.
    pub(crate) reason: String,
    /// The sessions it speaks of.
    pub(crate) about: Vec<SessionId>,
}

/// Decides.
pub(crate) fn decide(given: Deliberation<'_>) -> Result<Plan, Unworkable> {
    let Deliberation { group, by, standing, known, notices, upto, fresh } = given;
    let (marks, news, about) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    let mut draft = Draft { fresh, standing, known, marks, open: None, news, about, unopenable: None };
    for notice in notices {
        for alert in &notice.alerts {
            draft.take(alert, notice.refires);
        }
    }
    if let Some(reason) = draft.unopenable.take().filter(|_| draft.marks.is_empty()) {
        return Err(Unworkable { reason, about: draft.about.into_iter().collect() });
    }
    let note = draft.note();
    let session = draft.standing.map(|standing| standing.session);
    draft.about.extend(draft.news.keys());
    draft.about.retain(|about| Some(*about) != session);
    let told = |(index, (session, news)): (usize, (SessionId, News))| Told {
        session,
        cmd_id: command_id(group, upto, index),
        payload: news.payload(),
    };
    Ok(Plan {
        upto,
        by,
        told: draft.news.into_iter().enumerate().map(told).collect(),
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

impl Draft {
    fn take(&mut self, alert: &Alert, refires: bool) {
        let known = self.known.get(&alert.mark).copied();
        self.about.extend(known.and_then(|known| known.session));
        let known = known.map(|known| known.ended);
        match &alert.change {
            Change::Firing(opening) => {
                if known.is_none() || (known == Some(true) && refires) {
                    self.fires(alert, opening);
                }
            }
            Change::Resolved => {
                if known != Some(true) {
                    self.over(alert, vec![alert.mark.clone()]);
                }
            }
            Change::AllResolved => {
                let open = self.known.iter().filter(|(_, known)| !known.ended).map(|(name, _)| name.clone());
                let open: Vec<String> = open.collect();
                if !open.is_empty() {
                    self.over(alert, open);
                }
            }
        }
    }

    fn fires(&mut self, alert: &Alert, opening: &Result<Box<Opening>, String>) {
        match (self.standing, opening) {
            (Some(Standing { session, ended: false, .. }), _) => {
                self.news_for(session).joined.push(alert.brief.clone());
            }
            (old, Ok(opening)) => {
                let Opening { fields, title } = (**opening).clone();
                let parent = old.map(|old| old.session);
                self.open = Some(Open { session: self.fresh, title, fields, parent });
                self.standing = Some(Standing { session: self.fresh, ended: false, erased: false });
            }
            (_, Err(reason)) => {
                self.unopenable.get_or_insert_with(|| reason.clone());
                return;
            }
        }
        self.mark(alert.mark.clone(), false);
    }

    fn over(&mut self, alert: &Alert, marks: Vec<String>) {
        let Some(Standing { session, .. }) = self.standing else { return };
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

    fn note(&self) -> String {
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
    fn payload(self) -> Value {
        let listed = |alerts: Vec<Value>| {
            let count = alerts.len();
            json!({"count": count, "alerts": alerts.into_iter().take(LISTED_MAX).collect::<Vec<_>>()})
        };
        json!({"joined": listed(self.joined), "resolved": listed(self.resolved)})
    }
}

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    fn id(n: u128) -> SessionId {
        SessionId::new(uuid::Uuid::from_u128(n))
    }

    fn alert(mark: &str, change: Change) -> Alert {
        Alert { mark: mark.to_owned(), change, brief: json!(mark) }
    }

    fn fires(mark: &str) -> Alert {
        let opening = Opening { fields: json!({"alert": mark}), title: mark.to_owned() };
        alert(mark, Change::Firing(Ok(Box::new(opening))))
    }

    fn over(mark: &str) -> Alert {
        alert(mark, Change::Resolved)
    }

    struct Given {
        standing: Option<Standing>,
        known: Vec<(&'static str, bool)>,
        refires: bool,
        /// Who was told about what is known.
        told: Option<u128>,
    }

    /// One notice per list of alerts.
    fn decided(given: &Given, alerts: &[&[Alert]]) -> Result<Plan, Unworkable> {
        let told = given.told.map(id);
        let notice =
            |alerts: &&[Alert]| Notice { group: Digest::of(b"g"), alerts: alerts.to_vec(), refires: given.refires };
        decide(Deliberation {
            group: Digest::of(b"g"),
            by: Principal::new("intake:a"),
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
            standing: Some(Standing { session: id(1), ended, erased: false }),
            known: known.to_vec(),
            refires: false,
            told: Some(1),
        }
    }

    /// What is opened, what is told to whom, and which session the group is with.
    type Outline = (Option<(Value, Option<SessionId>)>, Vec<(SessionId, Value)>, Option<SessionId>);

    fn outline(plan: Plan) -> Outline {
        let open = plan.open.map(|open| (open.fields["alert"].clone(), open.parent));
        let told = plan.told.into_iter().map(|told| {
            let part = |name: &str| told.payload[name]["alerts"].clone();
            (told.session, json!([part("joined"), part("resolved")]))
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
        let all = alert("", Change::AllResolved);
        check(&given, &[from_ref(&all)], &(None, vec![], Some(id(1))));
        let given = Given { refires: true, ..with(false, &[("a", false), ("b", false)]) };
        let plan = decided(&given, &[from_ref(&all), from_ref(&all)]).unwrap();
        assert_eq!(plan.told.len(), 1);
        assert!(plan.marks.iter().all(|mark| mark.ended) && plan.marks.len() == 2, "{plan:?}");
    }

    #[test]
    fn what_opens_nothing_says_why_and_is_not_marked() {
        let bad = alert("a", Change::Firing(Err("no label".to_owned())));
        assert_eq!(decided(&NEW, &[from_ref(&bad)]), Err(Unworkable { reason: "no label".to_owned(), about: vec![] }));
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
        assert_eq!((plan.marks.len(), plan.told.len(), plan.note.as_str()), (10_000, 1, "opened, 9999 joined"));
        let joined = &plan.told[0].payload["joined"];
        assert_eq!((&joined["count"], joined["alerts"].as_array().unwrap().len()), (&json!(9_999), LISTED_MAX));
        let stored = serde_json::to_string(&plan).unwrap();
        assert_eq!(serde_json::from_str::<Plan>(&stored).unwrap(), plan);
    }
}
