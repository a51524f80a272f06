//! Who is told when, in virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::tz::{Offset, TimeZone};
use serde_json::{Value, json};

use super::*;
use crate::event::EventBody;
use crate::ids::{AssignmentId, CallId, PackName, Seq, SessionId, ToolName};
use crate::time::Timestamp;
use crate::tool::ToolCall;

const MINUTE: Duration = Duration::from_mins(1);

/// Minutes after a Tuesday's noon in UTC.
fn min(minutes: i64) -> Timestamp {
    let noon = Timestamp::from_rfc3339("2026-12-01T12:00:00Z").unwrap();
    if minutes < 0 {
        noon.minus(MINUTE * minutes.unsigned_abs().try_into().unwrap())
    } else {
        noon.plus(MINUTE * minutes.try_into().unwrap())
    }
}

fn approval(id: &str, at: i64, until: i64) -> Need {
    let id = format!("approval:{id}");
    Need { id, kind: NeedKind::Approval, since: Some(min(at)), from: min(at), until: Some(min(until)) }
}

fn need(kind: NeedKind, at: i64) -> Need {
    Need { id: format!("{kind:?}"), kind, since: Some(min(at)), from: min(at), until: None }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

fn rule(tell: &[&str]) -> AttentionRule {
    AttentionRule { tell: names(tell), ..AttentionRule::default() }
}

fn rules(rules: Vec<AttentionRule>) -> AttentionRules {
    AttentionRules { rules, expiring: MINUTE * 10, patience: MINUTE * 10 }
}

fn window(from: &str, to: &str, days: &[&str], hours_east: i8) -> DayHours {
    DayHours::new(from, to, &names(days), TimeZone::fixed(Offset::constant(hours_east))).unwrap()
}

/// A session and its rules, looked at again and again.
struct Watch {
    rules: AttentionRules,
    fields: Value,
    watchlist: Watchlist,
    acknowledged: Option<(Seq, Timestamp)>,
    next_at: Option<Timestamp>,
}

impl Watch {
    fn new(rules: AttentionRules) -> Self {
        let fields = json!({"level": "high", "n": 2});
        Self { rules, fields, watchlist: Watchlist::default(), acknowledged: None, next_at: None }
    }

    /// Who is told what at this minute.
    fn at(&mut self, now: i64, needs: &[Need]) -> Vec<(String, TellStep)> {
        let pack = PackName::new("p");
        let (fields, acknowledged) = (&self.fields, self.acknowledged);
        let look = Look { pack: &pack, fields, needs, acknowledged, now: min(now) };
        // As a store keeps it between two looks.
        let kept = serde_json::to_string(&self.watchlist).unwrap();
        let AttentionPlan { watchlist, tells, next_at } =
            plan(serde_json::from_str(&kept).unwrap(), &look, &self.rules);
        (self.watchlist, self.next_at) = (watchlist, next_at);
        assert!(next_at.is_none_or(|at| at > min(now)), "a look that asks for itself at once");
        tells.into_iter().map(|(contact, tell)| (contact, tell.step)).collect()
    }
}

fn told(list: &[(&str, TellStep)]) -> Vec<(String, TellStep)> {
    list.iter().map(|(name, step)| ((*name).to_owned(), *step)).collect()
}

#[test]
fn the_kinds_that_are_news_exist() {
    for kind in NEWS {
        assert!(EventBody::KINDS.contains(&kind), "{kind}");
        assert!(is_news(&format!("note_added,{kind}")), "{kind}");
    }
    assert!(!is_news("note_added,tool_returned") && !is_news(""));
}

#[test]
fn a_need_is_told_once_and_its_end_to_whoever_was_told() {
    let mut watch = Watch::new(rules(vec![rule(&["ann", "bob"])]));
    let one = approval("1", 0, 60);
    assert_eq!(watch.at(0, std::slice::from_ref(&one)), told(&[("ann", TellStep::Begun), ("bob", TellStep::Begun)]));
    assert_eq!(watch.at(1, std::slice::from_ref(&one)), []);
    assert_eq!(watch.at(2, &[]), told(&[("ann", TellStep::Ended), ("bob", TellStep::Ended)]));
    assert_eq!(watch.at(3, &[]), []);
}

#[test]
fn one_change_is_one_message_for_each_contact() {
    let mut watch = Watch::new(rules(vec![rule(&["ann"])]));
    let both = [approval("1", 0, 60), approval("2", 0, 60)];
    assert_eq!(watch.at(0, &both), told(&[("ann", TellStep::Begun)]));
    // One is answered while another is asked.
    let other = [approval("2", 0, 60), approval("3", 1, 60)];
    assert_eq!(watch.at(1, &other), told(&[("ann", TellStep::Begun)]));
    assert_eq!(watch.watchlist.messages, 2);
}

#[test]
fn the_first_rule_that_matches_decides() {
    let only = |matches| AttentionRule { matches, ..rule(&["first"]) };
    let has = |name: &str, values: &[&str]| RuleMatch {
        fields: BTreeMap::from([(name.to_owned(), values.iter().map(|value| (*value).to_owned()).collect())]),
        ..RuleMatch::default()
    };
    let cases = [
        (RuleMatch::default(), true),
        (RuleMatch { pack: Some(PackName::new("p")), ..RuleMatch::default() }, true),
        (RuleMatch { pack: Some(PackName::new("q")), ..RuleMatch::default() }, false),
        (RuleMatch { needs: BTreeSet::from([NeedKind::Approval]), ..RuleMatch::default() }, true),
        (RuleMatch { needs: BTreeSet::from([NeedKind::Error]), ..RuleMatch::default() }, false),
        (has("level", &["low", "high"]), true),
        (has("level", &["low"]), false),
        (has("n", &["2"]), true),
        (has("absent", &["high"]), false),
        (RuleMatch { hours: Some(window("08:00", "18:00", &[], 0)), ..RuleMatch::default() }, true),
        (RuleMatch { hours: Some(window("18:00", "08:00", &[], 0)), ..RuleMatch::default() }, false),
    ];
    for (matches, fits) in cases {
        let case = format!("{matches:?}");
        let mut watch = Watch::new(rules(vec![only(matches), rule(&["second"])]));
        let expect = if fits { "first" } else { "second" };
        assert_eq!(watch.at(0, &[approval("1", 0, 60)]), told(&[(expect, TellStep::Begun)]), "{case}");
    }
}

#[test]
fn what_is_needed_is_told_again_and_then_to_others() {
    let chain = [
        Escalation { after: MINUTE * 25, to: names(&["lead"]) },
        Escalation { after: MINUTE * 50, to: names(&["chief"]) },
    ];
    let plain = AttentionRule { remind_after: Some(MINUTE * 10), escalate: chain.into(), ..rule(&["ann"]) };
    let mut watch = Watch::new(rules(vec![plain]));
    let one = [need(NeedKind::NeedsReview, 0)];
    assert_eq!(watch.at(0, &one), told(&[("ann", TellStep::Begun)]));
    assert_eq!(watch.next_at, Some(min(10)));
    assert_eq!(watch.at(9, &one), []);
    assert_eq!(watch.at(10, &one), told(&[("ann", TellStep::Reminder)]));
    assert_eq!(watch.at(20, &one), told(&[("ann", TellStep::Reminder)]));
    assert_eq!(watch.next_at, Some(min(25)));
    assert_eq!(watch.at(25, &one), told(&[("lead", TellStep::Escalated)]));
    assert_eq!(watch.at(35, &one), told(&[("ann", TellStep::Reminder), ("lead", TellStep::Reminder)]));
    // After a day without the process both that are due come at once, and everybody hears once.
    assert_eq!(watch.at(1440, &one), told(&[("chief", TellStep::Escalated)]));
    assert_eq!(
        watch.at(1450, &one),
        told(&[("ann", TellStep::Reminder), ("chief", TellStep::Reminder), ("lead", TellStep::Reminder)])
    );
    let reminders = (0..100).filter(|n| !watch.at(1460 + n * 10, &one).is_empty()).count();
    assert_eq!(reminders, 20, "reminders come to an end");
    assert_eq!(watch.at(3000, &[]).len(), 3);
}

#[test]
fn an_acknowledgement_stops_reminders_until_something_new_is_needed() {
    let chain = vec![Escalation { after: MINUTE * 30, to: names(&["lead"]) }];
    let loud = AttentionRule { remind_after: Some(MINUTE * 10), escalate: chain, ..rule(&["ann"]) };
    let mut watch = Watch::new(rules(vec![loud]));
    let one = [approval("1", 0, 600)];
    watch.at(0, &one);
    watch.acknowledged = Some((Seq(9), min(5)));
    assert_eq!(watch.at(5, &one), told(&[("ann", TellStep::Acknowledged)]));
    assert_eq!(watch.at(40, &one), []);
    let two = [approval("1", 0, 600), approval("2", 41, 600)];
    assert_eq!(watch.at(41, &two), told(&[("ann", TellStep::Begun)]));
    assert_eq!(watch.at(51, &two), told(&[("ann", TellStep::Reminder)]));
    assert_eq!(watch.at(71, &two), told(&[("lead", TellStep::Escalated)]));
    watch.acknowledged = Some((Seq(12), min(72)));
    assert_eq!(watch.at(72, &two), told(&[("ann", TellStep::Acknowledged), ("lead", TellStep::Acknowledged)]));
    assert_eq!(
        watch.at(590, &two),
        told(&[("ann", TellStep::Expiring), ("lead", TellStep::Expiring)]),
        "time is running out"
    );
}

#[test]
fn what_expires_soon_is_told_once_more() {
    let mut watch = Watch::new(rules(vec![rule(&["ann"])]));
    let long = [approval("1", 0, 60)];
    watch.at(0, &long);
    assert_eq!(watch.next_at, Some(min(50)));
    assert_eq!(watch.at(49, &long), []);
    assert_eq!(watch.at(50, &long), told(&[("ann", TellStep::Expiring)]));
    assert_eq!(watch.at(55, &long), []);
    let mut watch = Watch::new(rules(vec![rule(&["ann"])]));
    let short = [approval("1", 0, 5)];
    assert_eq!(watch.at(0, &short), told(&[("ann", TellStep::Begun)]));
    assert_eq!(watch.at(1, &short), [], "its first message said until when");
}

#[test]
fn quiet_hours_hold_back_all_but_what_expires_within_them() {
    let quiet = AttentionRule { quiet: Some(window("11:00", "14:00", &[], 0)), ..rule(&["ann"]) };
    let mut watch = Watch::new(rules(vec![quiet.clone()]));
    let (within, after) = (approval("1", 0, 119), approval("2", 0, 121));
    assert_eq!(watch.at(0, std::slice::from_ref(&after)), []);
    assert_eq!(watch.next_at, Some(min(120)));
    assert_eq!(watch.at(1, &[within, after.clone()]), told(&[("ann", TellStep::Begun)]));
    assert_eq!(watch.at(119, std::slice::from_ref(&after)), told(&[("ann", TellStep::Ended)]));
    assert_eq!(watch.at(120, &[after]), told(&[("ann", TellStep::Begun)]));
    // What was over before its time was never told.
    let mut watch = Watch::new(rules(vec![quiet]));
    assert_eq!(watch.at(0, &[need(NeedKind::Error, 0)]), []);
    assert_eq!(watch.at(60, &[]), []);
}

#[test]
fn an_outage_is_told_once_it_lasts() {
    let mut watch = Watch::new(rules(vec![rule(&["ann"])]));
    let outage = [Need { from: min(10), ..need(NeedKind::Outage, 0) }];
    assert_eq!(watch.at(0, &outage), []);
    assert_eq!(watch.next_at, Some(min(10)));
    assert_eq!(watch.at(10, &outage), told(&[("ann", TellStep::Begun)]));
    assert_eq!(watch.next_at, Some(min(11)), "no event tells its end");
    assert_eq!(watch.at(11, &[]), told(&[("ann", TellStep::Ended)]));
}

#[test]
fn the_end_of_a_session_is_told_to_whoever_was_told_of_it_and_to_whom_a_rule_names() {
    let closed = RuleMatch { needs: BTreeSet::from([NeedKind::Closed]), ..RuleMatch::default() };
    let list = vec![AttentionRule { matches: closed, ..rule(&["desk"]) }, rule(&["ann"])];
    let mut watch = Watch::new(rules(list));
    watch.at(0, &[approval("1", 0, 60)]);
    let over = [need(NeedKind::Closed, 5)];
    assert_eq!(watch.at(5, &over), told(&[("ann", TellStep::Closed), ("desk", TellStep::Closed)]));
    assert_eq!((watch.at(6, &over), watch.next_at), (vec![], None));
    let mut watch = Watch::new(rules(vec![rule(&["ann"])]));
    assert_eq!(watch.at(5, &over), [], "nobody was told that anything was wrong");
}

#[test]
fn a_rule_for_other_hours_tells_when_they_come() {
    let day = RuleMatch { hours: Some(window("14:00", "18:00", &[], 0)), ..RuleMatch::default() };
    let mut watch = Watch::new(rules(vec![AttentionRule { matches: day, ..rule(&["ann"]) }]));
    let one = [need(NeedKind::NeedsReview, 0)];
    assert_eq!(watch.at(0, &one), []);
    assert_eq!(watch.next_at, Some(min(120)));
    assert_eq!(watch.at(120, &one), told(&[("ann", TellStep::Begun)]));
}

#[test]
fn hours_are_of_their_zone_and_day_and_go_over_midnight() {
    let night = window("22:00", "07:00", &[], 2);
    // 12:00 UTC is 14:00 there.
    for (minutes, within) in [(0, false), (479, false), (480, true), (1019, true), (1020, false)] {
        assert_eq!(night.contains(min(minutes)), within, "{minutes}");
    }
    assert_eq!(night.next_change(min(0)), Some(min(480)));
    assert_eq!(night.next_change(min(480)), Some(min(1020)));
    let tuesday = window("22:00", "07:00", &["tue"], 0);
    for (minutes, within) in [(600, true), (1139, true), (1140, false), (600 + 1440, false), (-600, false)] {
        assert_eq!(tuesday.contains(min(minutes)), within, "{minutes}");
    }
    for (from, to, days, part) in
        [("24:00", "07:00", "mon", "24:00"), ("7:00", "08:00", "mon", "7:00"), ("07:00", "08:00", "Monday", "Monday")]
    {
        let error = DayHours::new(from, to, &names(&[days]), TimeZone::UTC).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn text_from_outside_is_bounded_and_hides_nothing() {
    assert_eq!(plain("  a\tb\r\n c ", 99), "a b \n c");
    assert_eq!(plain("a\u{202e}b\u{200b}c\u{1b}[2J\u{e0041}", 99), "a\u{fffd}b\u{fffd}c\u{fffd}[2J\u{fffd}");
    assert_eq!(plain("a\u{1bca0}b\u{1d173}", 99), "a\u{fffd}b\u{fffd}");
    assert_eq!((plain("abcdef", 6), plain("abcdefg", 6)), ("abcdef".to_owned(), "abcde…".to_owned()));
    assert_eq!(plain("äöü", 2), "ä…");
}

#[test]
fn an_agents_call_is_no_message_of_the_runtime() {
    let notice = AttentionNotice {
        session: SessionId::new(uuid::Uuid::from_u128(7)),
        handle: "CASE-1".to_owned(),
        pack: PackName::new("p"),
        title: "t".to_owned(),
        step: TellStep::Begun,
        status: "awaiting_input".to_owned(),
        reason: String::new(),
        facts: Vec::new(),
        cause: None,
        asks: Vec::new(),
        more: 0,
        acknowledged_by: None,
        links: Vec::new(),
        contact: "c".to_owned(),
        at: min(0),
    };
    let call = notice.call(ToolName::new("notify:a"), "k".to_owned()).unwrap();
    assert_eq!(AttentionNotice::of(&call), Some(notice));
    // The same arguments, from an agent.
    let forged = ToolCall { call: CallId::at(AssignmentId(1), 1, 0), ..call };
    assert_eq!((AttentionNotice::of(&forged), AttentionNotice::is_one(&forged)), (None, false));
}
