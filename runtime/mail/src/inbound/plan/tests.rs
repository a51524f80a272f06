use std::collections::BTreeMap;
use std::slice::from_ref;
use std::time::Duration;

use provost_domain::ids::{Digest, SessionId};
use provost_domain::origin::CaseOrigin;
use provost_domain::pack::OutcomeKind;
use provost_domain::port::{Known, Mark};
use provost_domain::principal::Principal;
use provost_domain::time::Timestamp;
use serde_json::{Value, json};

use super::super::burning::{CaseStanding, STILL};
use super::super::case::{self, CaseId};
use super::super::draft::GroupSession;
use super::super::notice::Alert;
use super::super::opening::Opening;
use super::super::planned::LISTED_MAX;
use super::super::reading::{AlertChange, Repetition};
use super::*;

/// The id of the first session that a plan opens.
const FRESH: u128 = 100;

fn id(n: u128) -> SessionId {
    SessionId::new(uuid::Uuid::from_u128(n))
}

fn now() -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000)
}

fn case_of(service: &str) -> CaseId {
    CaseId::of(&["service".to_owned()], &json!({ "service": service }))
}

/// An alert of a service.
fn alert(mark: &str, service: &str, change: AlertChange) -> Alert {
    let fields = json!({"alert": mark, "service": service, "severity": "low"});
    let opening = Opening { pack: None, version: None, fields, title: mark.to_owned(), origin: CaseOrigin::default() };
    Alert { mark: mark.to_owned(), change, case: Some((case_of(service), opening)), brief: json!(mark) }
}

fn fires(mark: &str) -> Alert {
    alert(mark, "shop", AlertChange::Firing)
}

fn over(mark: &str) -> Alert {
    alert(mark, "shop", AlertChange::Resolved)
}

/// What a plan is made of: no session and nothing known, unless something is added.
struct Given {
    sessions: BTreeMap<SessionId, GroupSession>,
    known: BTreeMap<String, Known>,
    standing: Option<SessionId>,
    repetition: Repetition,
    max_cases: usize,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            sessions: BTreeMap::new(),
            known: BTreeMap::new(),
            standing: None,
            repetition: Repetition::StillFires,
            max_cases: 20,
        }
    }
}

impl Given {
    /// The shop's case is with session 1, which was told about some alerts, and where nothing happened for some time.
    fn with(standing: CaseStanding, quiet: Duration, alerts: &[(&str, bool)]) -> Self {
        let mut given = Self::default();
        given.session(1, standing, quiet);
        given.known.insert(case_of("shop").mark(), Known { ended: false, session: Some(id(1)) });
        for (mark, ended) in alerts {
            given.known.insert((*mark).to_owned(), Known { ended: *ended, session: Some(id(1)) });
        }
        given
    }

    fn session(&mut self, n: u128, standing: CaseStanding, quiet: Duration) {
        self.sessions.insert(id(n), GroupSession { session: id(n), standing, progress_at: now().minus(quiet) });
    }

    /// One notice per list of alerts.
    fn decided(&self, alerts: &[&[Alert]]) -> DeliveryPlan {
        let notice = |alerts: &&[Alert]| Notice {
            group: Digest::of(b"g"),
            alerts: alerts.to_vec(),
            openings: BTreeMap::new(),
            repetition: self.repetition,
        };
        let mut next = FRESH;
        let mut fresh = || {
            next += 1;
            id(next - 1)
        };
        decide(PlanFacts {
            group: Digest::of(b"g"),
            by: Principal::parse("intake:a"),
            notices: &alerts.iter().map(notice).collect::<Vec<_>>(),
            upto: 9,
            draft: DraftFacts {
                sessions: self.sessions.clone(),
                known: self.known.clone(),
                standing: self.standing,
                now: now(),
                max_cases: self.max_cases,
                fits: &|_| true,
                fresh: &mut fresh,
            },
            adopted: BTreeMap::new(),
        })
    }

    /// What was decided, and then again with what is known from then on.
    fn then(&mut self, alerts: &[Alert]) -> DeliveryPlan {
        let plan = self.decided(&[alerts]);
        for Mark { name, ended, session } in &plan.marks {
            self.known.insert(name.clone(), Known { ended: *ended, session: *session });
        }
        plan
    }
}

/// What is opened, as alert and parent; what is told, as joined and resolved; which session the group is with.
type Outline = (Vec<(Value, Option<SessionId>)>, Vec<(SessionId, Value)>, Option<SessionId>);

fn outline(plan: DeliveryPlan) -> Outline {
    let opens = plan.opens.into_iter().map(|open| (open.fields["alert"].clone(), open.parent));
    let told = plan.signals.into_iter().map(|signal| {
        let part = |name: &str| signal.payload[name]["alerts"].clone();
        (signal.session, json!([part("joined"), part("resolved")]))
    });
    (opens.collect(), told.collect(), plan.session)
}

#[track_caller]
fn check(given: &Given, alerts: &[&[Alert]], expect: &Outline) {
    assert_eq!(&outline(given.decided(alerts)), expect);
}

const REACHED: CaseStanding = CaseStanding::Reached(OutcomeKind::Success);

#[test]
fn a_new_case_opens_one_session_however_often_it_is_told() {
    let given = Given::default();
    let first = vec![(json!("a"), None)];
    check(&given, &[&[fires("a")], &[fires("a")], &[fires("a")]], &(first.clone(), vec![], Some(id(FRESH))));
    let joined = (id(FRESH), json!([["b"], []]));
    check(&given, &[&[fires("a"), fires("b")]], &(first, vec![joined], Some(id(FRESH))));
    check(&given, &[&[over("a")]], &(vec![], vec![], None));
    assert_eq!(given.decided(&[&[over("a")]]).note, "nothing to work on");
}

#[test]
fn cases_never_mix_in_one_session() {
    let given = Given::default();
    let till = alert("t", "till", AlertChange::Firing);
    let opened = vec![(json!("a"), None), (json!("t"), None)];
    let joined = (id(FRESH), json!([["b"], []]));
    check(&given, &[&[fires("a"), till.clone(), fires("b")]], &(opened, vec![joined], Some(id(FRESH))));
    let live = Given::with(CaseStanding::Live, Duration::ZERO, &[("a", false)]);
    check(&live, &[from_ref(&till)], &(vec![(json!("t"), None)], vec![], Some(id(FRESH))));
}

#[test]
fn an_open_session_is_told_only_what_is_new() {
    let given = Given::with(CaseStanding::Live, Duration::ZERO, &[("a", false), ("b", false)]);
    check(&given, &[&[fires("a")]], &(vec![], vec![], Some(id(1))));
    assert!(given.decided(&[&[fires("a")]]).is_idle());
    let told = (id(1), json!([["c"], ["a"]]));
    check(&given, &[&[fires("c")], &[over("a"), fires("c")], &[over("a")]], &(vec![], vec![told], Some(id(1))));
}

#[test]
fn an_ended_session_hears_of_the_end_and_a_new_alert_opens_its_child() {
    let given = Given::with(REACHED, Duration::ZERO, &[("a", false)]);
    check(&given, &[&[fires("a")]], &(vec![], vec![], Some(id(1))));
    check(&given, &[&[over("a")]], &(vec![], vec![(id(1), json!([[], ["a"]]))], Some(id(1))));
    let told = vec![(id(1), json!([[], ["a"]])), (id(FRESH), json!([["c"], []]))];
    let child = vec![(json!("b"), Some(id(1)))];
    check(&given, &[&[over("a"), fires("b"), fires("c")]], &(child, told, Some(id(FRESH))));
}

#[test]
fn what_still_fires_long_after_an_outcome_opens_a_child_and_twins_do_not() {
    let child = vec![(json!("a"), Some(id(1)))];
    check(&Given::with(REACHED, STILL, &[("a", false)]), &[&[fires("a")]], &(child, vec![], Some(id(FRESH))));
    for standing in [CaseStanding::Stopped, CaseStanding::Reached(OutcomeKind::Escalation)] {
        let given = Given::with(standing, STILL * 2, &[("a", false)]);
        check(&given, &[&[fires("a")]], &(vec![], vec![], Some(id(1))));
    }
}

#[test]
fn what_fires_again_with_the_same_start_counts_from_the_second_time() {
    let mut given = Given::with(REACHED, Duration::ZERO, &[("a", true)]);
    let first = given.then(&[fires("a")]);
    assert_eq!((first.opens.len(), first.signals.len()), (0, 0), "it may be an old delivery that comes late");
    let second = given.then(&[fires("a")]);
    assert_eq!(outline(second), (vec![(json!("a"), Some(id(1)))], vec![], Some(id(FRESH))));
    given.session(FRESH, REACHED, Duration::ZERO);
    assert_eq!(given.then(&[over("a")]).signals[0].session, id(FRESH));
    assert_eq!(given.then(&[fires("a")]).opens.len(), 0, "the next end begins anew");
    assert_eq!(given.then(&[fires("a")]).opens.len(), 1);
}

#[test]
fn what_is_over_fires_anew_where_the_sender_means_it_so() {
    let given = Given { repetition: Repetition::FiresAnew, ..Given::with(REACHED, Duration::ZERO, &[("a", true)]) };
    check(&given, &[&[fires("a")]], &(vec![(json!("a"), Some(id(1)))], vec![], Some(id(FRESH))));
    let all = Alert { case: None, ..alert("", "shop", AlertChange::AllResolved) };
    check(&given, &[from_ref(&all)], &(vec![], vec![], None));
    let given = Given {
        repetition: Repetition::FiresAnew,
        ..Given::with(CaseStanding::Live, Duration::ZERO, &[("a", false), ("b", false)])
    };
    let plan = given.decided(&[from_ref(&all), from_ref(&all)]);
    assert_eq!(plan.signals.len(), 1);
    let ended: Vec<_> = plan.marks.iter().map(|mark| (mark.name.as_str(), mark.ended)).collect();
    assert_eq!(ended, [("a", true), ("b", true)], "and no case is");
}

#[test]
fn a_stuck_session_is_tried_again_and_then_people_are_told_once() {
    let mut given = Given::with(CaseStanding::Stuck, Duration::from_secs(9), &[("a", false)]);
    assert_eq!(given.then(&[fires("a")]).retries.len(), 0, "not at once");
    for quiet in [10, 301, 3_601] {
        given.session(1, CaseStanding::Stuck, Duration::from_secs(quiet));
        let plan = given.then(&[fires("a"), fires("a")]);
        assert_eq!((plan.retries.len(), plan.retries[0].session, plan.note.as_str()), (1, id(1), "1 tried again"));
    }
    given.session(1, CaseStanding::Stuck, Duration::from_hours(9));
    let plan = given.then(&[fires("a"), fires("b")]);
    assert_eq!((plan.retries.len(), plan.alarms.clone()), (0, vec![id(1)]));
    assert_eq!(plan.signals[0].payload["unattended"]["count"], 2);
    let again = given.then(&[fires("a"), fires("b")]);
    assert!(again.is_idle() && again.alarms.is_empty(), "{again:?}");
    let joined = Given::with(CaseStanding::Stuck, Duration::ZERO, &[("a", false)]).decided(&[&[fires("b")]]);
    assert_eq!((joined.signals[0].payload["joined"]["count"].clone(), joined.retries.len()), (json!(1), 1));
}

#[test]
fn an_erased_session_is_no_parent_and_what_it_was_told_opens_nothing() {
    let mut given = Given::with(REACHED, Duration::ZERO, &[("a", false)]);
    given.sessions.clear();
    check(&given, &[&[fires("a")]], &(vec![], vec![], Some(id(1))));
    check(&given, &[&[fires("b")]], &(vec![(json!("b"), None)], vec![], Some(id(FRESH))));
}

#[test]
fn a_group_of_an_earlier_version_goes_on_with_its_session() {
    let mut given = Given::default();
    given.session(1, CaseStanding::Live, Duration::ZERO);
    given.standing = Some(id(1));
    check(&given, &[&[fires("a")]], &(vec![], vec![(id(1), json!([["a"], []]))], Some(id(1))));
}

#[test]
fn deliveries_speak_of_all_that_are_or_were_told_of_what_they_say() {
    let about = |given: &Given, alerts: &[Alert]| {
        let plan = given.decided(&[alerts]);
        let marks = plan.marks.into_iter().filter(|mark| case::is_alert(&mark.name));
        (plan.about, marks.map(|mark| (mark.name, mark.session.unwrap())).collect::<Vec<_>>())
    };
    let ended = Given::with(REACHED, Duration::ZERO, &[("a", false)]);
    let (a, b) = (|n| ("a".to_owned(), id(n)), |n| ("b".to_owned(), id(n)));
    assert_eq!(about(&ended, &[over("a"), fires("b")]), (vec![id(1)], vec![a(1), b(FRESH)]), "it is told of the end");
    assert_eq!(about(&ended, &[fires("a"), fires("b")]), (vec![id(1)], vec![b(FRESH)]), "it was told before");
    assert_eq!(about(&Given::default(), &[fires("a"), fires("b")]), (vec![], vec![a(FRESH), b(FRESH)]));
}

#[test]
fn a_storm_is_one_signal_that_counts_more_than_it_lists() {
    let many: Vec<Alert> = (0..10_000).map(|n| fires(&n.to_string())).collect();
    let plan = Given::default().decided(&[&many]);
    assert_eq!((plan.marks.len(), plan.signals.len(), plan.note.as_str()), (10_001, 1, "opened, 9999 joined"));
    let joined = &plan.signals[0].payload["joined"];
    assert_eq!((&joined["count"], joined["alerts"].as_array().unwrap().len()), (&json!(9_999), LISTED_MAX));
    let stored = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<DeliveryPlan>(&stored).unwrap(), plan);
}

#[test]
fn a_delivery_over_many_targets_opens_as_many_cases_as_it_may_and_one_for_the_rest() {
    let alerts: Vec<Alert> =
        (0..500).map(|n| alert(&n.to_string(), &format!("s{}", n % 100), AlertChange::Firing)).collect();
    let mut given = Given { max_cases: 20, ..Given::default() };
    let plan = given.then(&alerts);
    assert_eq!((plan.opens.len(), plan.note.as_str()), (21, "opened 21 sessions, 480 joined"));
    let many = plan.opens.last().unwrap();
    assert!(many.partial && many.fields.get("service").is_none(), "{many:?}");
    assert_eq!((&many.fields["severity"], &many.fields["alert"]["many_targets"]), (&json!("low"), &json!(80)));
    let told: u64 = plan.signals.iter().map(|signal| signal.payload["joined"]["count"].as_u64().unwrap()).sum();
    assert_eq!(told, 480, "nothing is lost");
    for open in &plan.opens {
        given.sessions.insert(
            open.session,
            GroupSession { session: open.session, standing: CaseStanding::Live, progress_at: now() },
        );
    }
    assert!(given.decided(&[&alerts]).is_idle(), "the same storm again changes nothing");
    let more: Vec<Alert> = (0..30).map(|n| alert(&format!("m{n}"), &format!("m{n}"), AlertChange::Firing)).collect();
    assert_eq!(given.decided(&[&more]).opens.len(), 20, "and what else goes beyond joins the session of many");
}

#[test]
fn a_plan_that_an_earlier_version_stored_is_read() {
    let stored = json!({"upto": 3, "by": "intake:a", "open": {"session": id(7), "title": "t", "fields": {}, "parent": null},
        "told": [], "session": id(7), "marks": [{"name": "a", "ended": false}], "note": "opened"});
    let plan: DeliveryPlan = serde_json::from_value(stored).unwrap();
    assert!(plan.open.is_some() && plan.opens.is_empty() && !plan.is_idle(), "{plan:?}");
}

/// An alert about a version of the shop.
fn of_version(mark: &str, version: &str) -> Alert {
    let mut alert = fires(mark);
    alert.case.as_mut().unwrap().1.version = Some(version.to_owned());
    alert
}

#[test]
fn another_version_stops_the_open_session_and_opens_its_child() {
    let mut given = Given { repetition: Repetition::SameEvent, ..Given::default() };
    assert_eq!(given.then(&[of_version("a", "head 1")]).opens.len(), 1);
    given.session(FRESH, CaseStanding::Live, Duration::ZERO);
    let same = given.decided(&[&[of_version("b", "head 1")]]);
    assert_eq!(outline(same), (vec![], vec![(id(FRESH), json!([["b"], []]))], Some(id(FRESH))));
    let other = given.decided(&[&[of_version("c", "head 2")]]);
    let stops: Vec<_> = other.stops.iter().map(|stop| (stop.session, stop.reason.as_str())).collect();
    assert_eq!(stops, [(id(FRESH), "superseded by head 2")]);
    assert!(!other.is_idle() && other.note.contains("1 superseded"), "{}", other.note);
    // The double mints the same id again.
    assert_eq!(outline(other).0, vec![(json!("c"), Some(id(FRESH)))]);
}

#[test]
fn only_what_was_opened_for_a_version_is_superseded() {
    for standing in [CaseStanding::Live, REACHED, CaseStanding::Stopped] {
        let given = Given::with(standing, Duration::ZERO, &[("a", false)]);
        assert_eq!(given.decided(&[&[of_version("b", "head 2")]]).stops, [], "{standing:?}");
    }
}

#[test]
fn the_same_event_sent_again_says_nothing_however_the_session_stands() {
    for standing in [CaseStanding::Live, REACHED, CaseStanding::Stuck] {
        let told = Given::with(standing, STILL * 100, &[("a", false)]);
        let given = Given { repetition: Repetition::SameEvent, ..told };
        assert!(given.decided(&[&[fires("a")]]).is_idle(), "{standing:?}");
    }
}

#[test]
fn cases_beyond_the_limit_are_one_session_of_each_pack() {
    let of_pack = |mark: &str, pack: Option<&str>| {
        let mut alert = alert(mark, mark, AlertChange::Firing);
        alert.case.as_mut().unwrap().1.pack = pack.map(Into::into);
        alert
    };
    let given = Given { max_cases: 1, ..Given::default() };
    let alerts = [of_pack("a", None), of_pack("b", None), of_pack("c", Some("other")), of_pack("d", Some("other"))];
    let opens = given.decided(&[&alerts]).opens;
    let opened: Vec<_> = opens
        .iter()
        .map(|open| (open.pack.as_ref().map(provost_domain::ids::PackName::as_str), open.partial))
        .collect();
    assert_eq!(opened, [(None, false), (None, true), (Some("other"), true)]);
}
