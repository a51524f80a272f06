//! A watch over several measures: what is read when, what it is judged by, and what it reports.

use std::sync::Arc;
use std::time::Duration;

use provost_domain::event::EventBody;
use provost_domain::ids::{AgentName, CallId, ToolName};
use provost_domain::origin::CaseOrigin;
use provost_domain::pack::{AgentSpec, Baseline, MeasureSpec, RouteTo, SeveralWatch, WatchPlan};
use provost_domain::role::{Authority, RoleSpec};
use provost_domain::schema::ArgSchema;
use provost_domain::session::Session;
use provost_domain::tool::{EffectClass, ToolOutcome};
use provost_domain::work::WorkForm;
use provost_expr::{Expression, TemplateTree};
use serde_json::{Value, json};

use crate::world::{World, ok, tool};

fn expression(text: &str) -> Expression {
    Expression::parse(text).unwrap()
}

fn measure(n: u32) -> MeasureSpec {
    MeasureSpec {
        tool: ToolName::new("look:meter"),
        args: TemplateTree::parse(&json!({"n": n, "of": "{{ fields.environment }}"}), &|_| None).unwrap(),
        value: expression("result.value"),
        before: false,
        baseline: None,
    }
}

/// A session whose first agent measures `a` and `b`.
fn watching(recovered: &str, change: impl FnOnce(&mut SeveralWatch)) -> World {
    let mut watch = SeveralWatch {
        measures: [("a".to_owned(), measure(1)), ("b".to_owned(), measure(2))].into(),
        recovered: expression(recovered),
        worse: None,
        settle: Duration::ZERO,
        every: Duration::from_secs(10),
        consecutive: 2,
    };
    change(&mut watch);
    World::started(|pack, catalog| {
        let mut meter = tool("look:meter");
        meter.effect = EffectClass::Read;
        meter.schema =
            ArgSchema::new(json!({"type": "object", "properties": {"n": {}, "of": {}, "time": {}}})).unwrap();
        catalog.insert(meter.name.clone(), Arc::new(meter));
        let first = pack.agents.values().next().unwrap().clone();
        let gauge = AgentSpec {
            name: AgentName::new("gauge"),
            role: RoleSpec { name: "watcher".into(), authority: Authority::Reads, work: WorkForm::Watching },
            tools: Vec::new(),
            deadline: Duration::from_mins(5),
            watch: Some(WatchPlan::Several(watch)),
            routes: first.routes.iter().filter(|route| route.to == RouteTo::End).cloned().collect(),
            ..first
        };
        pack.entry = gauge.name.clone();
        pack.agents.insert(gauge.name.clone(), gauge);
    })
}

/// The calls that wait for their results, with their arguments.
fn open(session: &Session) -> Vec<(CallId, Value)> {
    let calls = session.open_calls().filter_map(|call| Some((call.id.clone(), (*call.intent()?.args).clone())));
    calls.collect()
}

/// Answers every open call; `None` is an empty result.
fn answer(world: &mut World, mut value: impl FnMut(&Value) -> Option<f64>) {
    for (call, args) in open(&world.session) {
        let outcome = match value(&args) {
            Some(value) => ToolOutcome::Ok { content: json!({"value": value}) },
            None => ToolOutcome::Empty { note: "nothing".to_owned() },
        };
        world.returns(&call, outcome);
    }
}

/// Waits for the next poll.
fn next(world: &mut World) {
    world.now = world.now.plus(Duration::from_secs(10));
    world.report(provost_domain::command::Report::Tick);
}

fn report(world: &World) -> Option<(Option<String>, Value)> {
    let report = world.session.reports().get("gauge")?;
    Some((report.signal.clone(), report.report.as_deref().cloned().unwrap_or_default()))
}

#[test]
fn all_measures_of_a_poll_are_judged_together() {
    let mut world = watching("a.now < 10 && b.now < 10", |_| {});
    let args: Vec<Value> = open(&world.session).into_iter().map(|(_, args)| args).collect();
    assert_eq!(args, [json!({"n": 1, "of": "production"}), json!({"n": 2, "of": "production"})]);
    // The first reading alone decides nothing.
    let (call, _) = open(&world.session).remove(0);
    world.returns(&call, ToolOutcome::Ok { content: json!({"value": 1}) });
    assert_eq!(world.session.newest_work().unwrap().watch().unwrap().polls, 0);
    answer(&mut world, |_| Some(50.0));
    assert_eq!(world.session.newest_work().unwrap().watch().unwrap().met, Some(false));
    for _ in 0..2 {
        assert_eq!(report(&world), None);
        next(&mut world);
        answer(&mut world, |_| Some(5.0));
    }
    let (signal, own) = report(&world).unwrap();
    assert_eq!(signal.as_deref(), Some("recovered"));
    assert_eq!(own["measurements"], json!({"a": {"now": 5.0}, "b": {"now": 5.0}}));
    assert_eq!(own["verdict"], "recovered");
}

#[test]
fn what_cannot_be_read_is_neither_met_nor_unmet() {
    for (a, b, met) in [
        (Some(1.0), Some(1.0), Some(true)),
        (Some(1.0), None, None),
        (None, Some(50.0), Some(false)),
        (None, None, None),
    ] {
        let mut world = watching("a.now < 10 && b.now < 10", |_| {});
        answer(&mut world, |args| if args["n"] == 1 { a } else { b });
        assert_eq!(world.session.newest_work().unwrap().watch().unwrap().met, met, "{a:?} {b:?}");
    }
}

#[test]
fn worse_ends_the_watch_at_once() {
    let mut world = watching("a.now < 10", |watch| watch.worse = Some(expression("b.now > 90")));
    answer(&mut world, |args| if args["n"] == 1 { Some(1.0) } else { Some(95.0) });
    assert_eq!(report(&world).unwrap().0.as_deref(), Some("not_recovered"));
    let mut calm = watching("a.now < 10", |watch| watch.worse = Some(expression("b.now > 90")));
    answer(&mut calm, |_| Some(50.0));
    assert_eq!(report(&calm), None);
}

#[test]
fn nothing_is_measured_before_things_have_settled() {
    let mut world = watching("a.now < 10", |watch| watch.settle = Duration::from_secs(10));
    assert_eq!(open(&world.session), []);
    assert!(world.session.next_timer(world.fence, world.now, world.now).is_some(), "the first poll is waited for");
    next(&mut world);
    assert_eq!(open(&world.session).len(), 2);
}

/// Red where the past is not asked for, or asked for again once it is known.
#[test]
fn a_baseline_is_read_once_of_the_time_before_the_trouble() {
    let with_baseline = |ignore_absent| {
        move |watch: &mut SeveralWatch| {
            let ago = Duration::from_secs(1);
            watch.measures.get_mut("b").unwrap().baseline = Some(Baseline { ago, ignore_absent });
        }
    };
    let mut world = watching("b.now <= 2 * b.baseline && a.now < 10", with_baseline(false));
    assert_eq!(world.session.origin(), &CaseOrigin::default());
    let past: Vec<Value> = open(&world.session).into_iter().filter_map(|(_, args)| args.get("time").cloned()).collect();
    assert_eq!(past, [json!("1970-01-01T00:00:00.000000Z")], "a second before the case was opened");
    answer(&mut world, |args| if args.get("time").is_some() { Some(4.0) } else { Some(8.0) });
    next(&mut world);
    assert!(open(&world.session).iter().all(|(_, args)| args.get("time").is_none()));
    answer(&mut world, |_| Some(8.0));
    let (signal, own) = report(&world).unwrap();
    assert_eq!(
        (signal.as_deref(), &own["measurements"]["b"]),
        (Some("recovered"), &json!({"now": 8.0, "baseline": 4.0}))
    );
    // Without one the condition cannot be told, or is left out where the pack says so.
    for (ignore, met) in [(false, None), (true, Some(true))] {
        let mut world = watching("b.now <= 2 * b.baseline && a.now < 10", with_baseline(ignore));
        answer(&mut world, |args| if args.get("time").is_some() { None } else { Some(8.0) });
        assert_eq!(world.session.newest_work().unwrap().watch().unwrap().met, met, "{ignore}");
        next(&mut world);
        assert_eq!(open(&world.session).len(), 3, "it is asked for again");
    }
    // With nothing left to hold, nothing is told.
    let mut world = watching("b.now <= 2 * b.baseline", with_baseline(true));
    answer(&mut world, |args| if args.get("time").is_some() { None } else { Some(8.0) });
    assert_eq!(world.session.newest_work().unwrap().watch().unwrap().met, None);
}

#[test]
fn before_is_read_of_the_time_of_the_last_change() {
    let before = |watch: &mut SeveralWatch| watch.measures.get_mut("a").unwrap().before = true;
    let mut unchanged = watching("a.now < a.before", before);
    assert_eq!(open(&unchanged.session).len(), 2, "nothing was changed, so no reading has that time");
    answer(&mut unchanged, |_| Some(1.0));
    assert_eq!(unchanged.session.newest_work().unwrap().watch().unwrap().met, None);
    // An agent that acts comes first.
    let mut world = World::started(|_, _| {});
    assert_eq!(world.session.acted_at(), None);
    world.calls(&[("look__once", json!({}))]);
    world.returns(&World::call_id(1, 0), ok());
    assert_eq!(world.session.acted_at(), None, "reading changes nothing");
    world.calls(&[("act__free", json!({}))]);
    assert_eq!(world.session.acted_at(), Some(world.now));
}

#[test]
fn each_reading_is_in_the_log() {
    let mut world = watching("a.now < 10", |_| {});
    answer(&mut world, |args| if args["n"] == 1 { Some(3.0) } else { None });
    let read: Vec<_> = world
        .log
        .iter()
        .filter_map(|event| match event {
            EventBody::MeasureRead(read) => Some((read.measure.clone(), read.value)),
            _ => None,
        })
        .collect();
    assert_eq!(read, [("a".to_owned(), Some(3.0)), ("b".to_owned(), None)]);
}
