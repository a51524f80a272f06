//! Whatever is accepted can be read again: events, commands and snapshots of JSON nested up to the limit, and deeper.

use std::collections::BTreeMap;

use provost_domain::command::{Answer, Ask, Command};
use provost_domain::event::EventBody;
use provost_domain::fields::CheckedFields;
use provost_domain::ids::{CmdId, Digest, Fence, Seq, ToolName};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::model::Arguments;
use provost_domain::nesting::LEVELS_MAX;
use provost_domain::pack::{FindingsTool, PatchTool};
use provost_domain::schema::ArgSchema;
use provost_domain::session::Session;
use provost_domain::tool::ToolOutcome;
use serde_json::{Map, Value, json};

use crate::world::{World, opener, other};

/// The limit and its neighbours, what the parser still reads, and what only another program could hand over.
const DEPTHS: [usize; 6] = [LEVELS_MAX - 1, LEVELS_MAX, LEVELS_MAX + 1, 121, 127, 1_000];

/// An object of so many levels.
fn nested(levels: usize) -> Value {
    (1..levels).fold(json!({}), |inner, _| json!({"a": inner}))
}

fn member(levels: usize) -> Map<String, Value> {
    Map::from_iter([("a".to_owned(), nested(levels - 1))])
}

/// A session with a tool of every kind that takes anything.
fn world() -> World {
    World::started(|pack, _| {
        let any = || ArgSchema::new(json!({"type": "object"})).unwrap();
        pack.findings_tools = BTreeMap::from([(ToolName::new("note"), FindingsTool::of(any()))]);
        let patch = PatchTool { fields: Vec::new(), schema: any(), aliases: BTreeMap::new() };
        pack.patch_tools = BTreeMap::from([(ToolName::new("patch"), patch)]);
        let agent = pack.agents.values_mut().next().unwrap();
        agent.tools.extend(["note", "patch"].map(ToolName::new));
    })
}

/// Every event so far, and the session, are read back as they were written.
#[track_caller]
fn is_readable(world: &World, what: &str) {
    let record = AppendRecord::seal(Unsealed {
        session: world.session.id(),
        after: Seq(1),
        fence: Fence(1),
        cmd_id: CmdId::new("1.1"),
        at: world.now,
        events: &world.log,
        salt: [1; 16],
        prev: Digest::default(),
    })
    .unwrap();
    let events = record.open(Seq(1), Digest::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
    let events: Vec<EventBody> = events.into_iter().map(|event| event.body).collect();
    assert_eq!(events, world.log, "{what}");
    let header = world.session.to_snapshot().unwrap();
    let session = Session::from_snapshot(&header).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(session, world.session, "{what}");
}

#[test]
fn what_models_and_tools_say_can_be_read_again() {
    for levels in DEPTHS {
        for tool in ["note", "patch", "act__free", "act__gated", "mark_done", "finish_turn", "none"] {
            let mut world = world();
            world.calls(&[(tool, nested(levels))]);
            is_readable(&world, &format!("{tool} of {levels} levels"));
            let mut world = self::world();
            let report = json!({"content": "c", "confidence": 0.9, "rationale": "r", "report": nested(levels)});
            world.calls(&[("note", json!({"n": nested(levels - 1)})), (tool, report)]);
            is_readable(&world, &format!("{tool} with a member of {levels} levels"));
        }
        for truncated in [false, true] {
            let mut world = world();
            world.calls(&[("act__free", json!({}))]);
            let content = nested(levels);
            let outcome = if truncated {
                ToolOutcome::Truncated { content, total_bytes: 9 }
            } else {
                ToolOutcome::Ok { content }
            };
            world.returns(&World::call_id(1, 0), outcome);
            is_readable(&world, &format!("a result of {levels} levels"));
        }
    }
}

#[test]
fn what_people_say_can_be_read_again_or_is_refused() {
    for levels in DEPTHS {
        let fits = levels <= LEVELS_MAX;
        let mut world = world();
        world.calls(&[("act__gated", json!({}))]);
        let answer = Answer::Edit { args: Map::from_iter([("n".to_owned(), nested(levels - 1))]) };
        let ask = Ask::Answer { approval: world.approval(), answer, reason: None };
        assert_eq!(world.ask(&other(), ask).is_ok(), fits, "an edit of {levels} levels");
        is_readable(&world, &format!("an edit of {levels} levels"));

        let ask = Ask::Claim { tool: ToolName::new("mark_done"), args: member(levels) };
        assert_eq!(world.ask(&other(), ask).is_ok(), fits, "a claim of {levels} levels");
        is_readable(&world, &format!("a claim of {levels} levels"));

        let ask = Ask::Signal { source: "s".to_owned(), payload: nested(levels) };
        assert!(world.ask(&other(), ask).is_ok());
        is_readable(&world, &format!("a signal of {levels} levels"));

        let fields = CheckedFields::new(&world.pack, nested(levels));
        assert_eq!(fields.is_ok(), fits, "fields of {levels} levels");
    }
}

#[test]
fn a_stored_command_can_be_read_again() {
    for levels in DEPTHS {
        let asks = [
            Ask::Claim { tool: ToolName::new("mark_done"), args: member(levels) },
            Ask::Answer { approval: "a".into(), answer: Answer::Edit { args: member(levels) }, reason: None },
            Ask::Signal { source: "s".to_owned(), payload: nested(levels) },
        ];
        for ask in asks {
            let command = Command { by: opener(), if_version: None, ask };
            let Ok(command) = command.bounded() else {
                assert!(levels > LEVELS_MAX);
                continue;
            };
            let text = serde_json::to_string(&command).unwrap();
            assert_eq!(serde_json::from_str::<Command>(&text).unwrap(), command);
        }
    }
}

#[test]
fn arguments_are_taken_up_to_the_limit() {
    for (levels, taken) in [(LEVELS_MAX, true), (LEVELS_MAX + 1, false), (120, false), (500, false)] {
        let text = format!("{}{}{}", "{\"a\":".repeat(levels - 1), "{}", "}".repeat(levels - 1));
        let is_taken = |args: &Arguments| match args {
            Arguments::Json(_) => true,
            Arguments::Broken(_) => false,
        };
        assert_eq!(is_taken(&Arguments::parse(&text)), taken, "{levels}");
    }
    let mut world = world();
    world.calls(&[("act__free", nested(LEVELS_MAX + 1))]);
    let told = &world.session.works().values().next().unwrap().turn().unwrap().history;
    assert!(format!("{told:?}").contains("deeper than 64 levels"), "{told:?}");
}

#[test]
fn what_is_cut_off_a_result_is_seen() {
    let mut world = world();
    world.calls(&[("act__free", json!({}))]);
    world.returns(&World::call_id(1, 0), ToolOutcome::Ok { content: nested(LEVELS_MAX + 1) });
    let told = format!("{:?}", world.session.works().values().next().unwrap().turn().unwrap().history);
    assert!(told.contains("truncated") && told.contains("cut off"), "{told}");
}
