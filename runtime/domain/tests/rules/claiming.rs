//! What a terminal claim leads to: the outcome that its arguments choose, and the fields that it sets.

use std::sync::Arc;

use provost_domain::command::Ask;
use provost_domain::event::EventBody;
use provost_domain::ids::ToolName;
use provost_domain::pack::{ClaimOutcome, TerminalTool};
use provost_domain::refusal::{Refusal, ToolRefusal};
use provost_domain::roster::Rosters;
use provost_domain::schema::ArgSchema;
use provost_domain::session::Session;
use provost_domain::status::Status;
use provost_expr::Expression;
use serde_json::{Value, json};

use crate::world::{World, other, terminal};

/// A session whose fields have a team of a roster and a level.
fn world(change: impl FnOnce(&mut TerminalTool)) -> World {
    World::started(|pack, _| {
        let fields = json!({"type": "object", "properties": {"environment": {}, "level": {"enum": ["low", "high"]},
            "team": {"type": "string", "x-roster": "teams"}}});
        pack.fields = ArgSchema::new(fields).unwrap();
        pack.rosters = Rosters([("teams".to_owned(), vec!["red".to_owned(), "blue".to_owned()])].into());
        let mut tool = terminal(None);
        change(&mut tool);
        pack.terminal_tools.insert(ToolName::new("mark_done"), tool);
    })
}

fn by_verdict(tool: &mut TerminalTool) {
    let table = [("yes", "approved"), ("no", "refused")].map(|(value, end)| (value.to_owned(), end.to_owned()));
    tool.outcome = ClaimOutcome::ByArgument { argument: "verdict".to_owned(), table: table.into() };
}

fn refusal(events: &[EventBody]) -> Option<ToolRefusal> {
    events.iter().find_map(|event| match event {
        EventBody::ClaimRefused(refused) => Some(refused.refusal.clone()),
        _ => None,
    })
}

#[test]
fn an_argument_chooses_the_outcome() {
    for (args, outcome) in [
        (json!({"verdict": "yes"}), Some("approved")),
        (json!({"verdict": "no"}), Some("refused")),
        (json!({"verdict": "perhaps"}), None),
        (json!({}), None),
    ] {
        let mut world = world(by_verdict);
        let events = world.calls(&[("mark_done", args.clone())]);
        assert_eq!(refusal(&events).is_some(), outcome.is_none(), "{args}");
        let expect = outcome.map_or(Status::InProgress, |outcome| Status::Outcome(outcome.to_owned()));
        assert_eq!(*world.session.status(), expect, "{args}");
    }
}

fn sets(field: &str, value: &str) -> impl FnOnce(&mut TerminalTool) {
    let (field, value) = (field.to_owned(), Expression::parse(value).unwrap());
    move |tool| drop(tool.set.insert(field, value))
}

fn team(session: &Session) -> Option<&str> {
    session.fields().get("team").and_then(Value::as_str)
}

#[test]
fn a_claim_sets_fields_and_a_value_that_does_not_fit_refuses_it() {
    for (field, value, args, fits) in [
        ("team", "args.team", json!({"team": "red"}), true),
        ("team", "args.?team.orValue(\"blue\")", json!({}), true),
        ("team", "args.team", json!({"team": "green"}), false),
        ("team", "args.team", json!({}), false),
        ("level", "args.n > 3 ? \"high\" : \"low\"", json!({"n": 4}), true),
        ("level", "args.team", json!({"team": "red"}), false),
    ] {
        let mut world = world(sets(field, value));
        let before = Arc::clone(world.session.fields());
        let events = world.calls(&[("mark_done", args.clone())]);
        assert_eq!(refusal(&events).is_none(), fits, "{value} {args}: {events:?}");
        assert_eq!(world.session.fields() == &before, !fits, "{value} {args}");
        assert_eq!(world.session.status().is_final(), fits, "{value} {args}");
    }
    let mut world = world(sets("team", "args.team"));
    world.calls(&[("mark_done", json!({"team": "red"}))]);
    assert_eq!(team(&world.session), Some("red"));
    assert_eq!(world.session.field_authors()["team"].agent.as_str(), "first", "the agent wrote it");
}

#[test]
fn what_a_claim_sets_is_told_before_its_effect_runs() {
    let mut world = world(|tool| {
        sets("team", "args.team")(tool);
        tool.effect = Some(ToolName::new("tell:team"));
    });
    world.calls(&[("mark_done", json!({"team": "green"}))]);
    assert_eq!(world.intended(), Vec::<String>::new(), "nobody is told of a claim that cannot stand");
    assert_eq!(team(&world.session), None);
}

#[test]
fn a_persons_claim_sets_fields_too() {
    let mut world = world(sets("team", "args.team"));
    let claim = |team: &str| {
        let Value::Object(args) = json!({"team": team}) else { panic!() };
        Ask::Claim { tool: ToolName::new("mark_done"), args }
    };
    let refused = world.ask(&other(), claim("green")).unwrap_err();
    assert!(matches!(refused, Refusal::CallRefused { .. }), "{refused:?}");
    world.ask(&other(), claim("blue")).unwrap();
    assert_eq!((team(&world.session), world.session.field_authors().len()), (Some("blue"), 0));
    assert_eq!(*world.session.status(), Status::Outcome("done".to_owned()));
}
