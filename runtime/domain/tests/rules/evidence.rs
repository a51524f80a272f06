//! Evidence is held against the whole log, and only what came back whole is any, unless the pack says so.

use std::collections::BTreeMap;

use provost_domain::confidence::Confidence;
use provost_domain::envelope::EnvelopeSource;
use provost_domain::event::EventBody;
use provost_domain::evidence::{Evidence, ResultKind};
use provost_domain::failure::FailureKind;
use provost_domain::ids::{CallId, Seq, SessionId, ToolName};
use provost_domain::pack::FindingsTool;
use provost_domain::refusal::ToolRefusal;
use provost_domain::schema::ArgSchema;
use provost_domain::status::Status;
use provost_domain::tool::{Happened, ToolFailure, ToolOutcome};
use serde_json::{Value, json};

use crate::world::{World, ok};

fn world() -> World {
    World::started(|pack, _| {
        let args = json!({"type": "object", "properties": {"confidence": {"type": "number"}, "n": {}}});
        pack.findings_tools = BTreeMap::from(
            [("note", args.clone()), ("also_note", args)]
                .map(|(name, args)| (ToolName::new(name), FindingsTool::of(ArgSchema::new(args).unwrap()))),
        );
        let agent = pack.agents.values_mut().next().unwrap();
        agent.tools.extend(["note", "also_note"].map(ToolName::new));
    })
}

fn failed() -> ToolOutcome {
    ToolOutcome::Failed {
        failure: ToolFailure {
            kind: FailureKind::Permanent,
            happened: Happened::No,
            detail: "refused".to_owned(),
            exit: None,
            signal: None,
            timeout_ms: None,
        },
    }
}

/// The result of the next `look:once`, and its place.
fn result(world: &mut World, round: u32, outcome: ToolOutcome) -> Seq {
    world.calls(&[("look__once", json!({"n": round}))]);
    world.returns(&World::call_id(round, 0), outcome);
    let place = world.log.iter().rposition(|event| matches!(event, EventBody::ToolReturned(_))).unwrap();
    // The log here begins after the session's first event.
    Seq(place as u64 + 2)
}

fn claim(world: &mut World, ids: &[String]) -> Option<ToolRefusal> {
    let events = world.calls(&[("mark_done", json!({"evidence": ids}))]);
    events.iter().find_map(|event| match event {
        EventBody::ClaimRefused(refused) => Some(refused.refusal.clone()),
        _ => None,
    })
}

fn id(world: &World, seq: Seq) -> String {
    Evidence { session: world.session.id(), seq }.to_string()
}

#[test]
fn only_a_whole_result_is_evidence_unless_the_pack_takes_more() {
    let empty = || ToolOutcome::Empty { note: "no line".to_owned() };
    let cut = || ToolOutcome::Truncated { content: json!("a"), total_bytes: 9 };
    for (outcome, kind) in [
        (ok(), ResultKind::Whole),
        (empty(), ResultKind::Empty),
        (cut(), ResultKind::Truncated),
        (failed(), ResultKind::Failed),
    ] {
        for taken in [false, true] {
            let mut world = world();
            world.pack.evidence_also.extend(taken.then_some(kind));
            let seq = result(&mut world, 1, outcome.clone());
            assert_eq!(world.session.result(seq), Some(kind));
            let cited = id(&world, seq);
            let refusal = claim(&mut world, std::slice::from_ref(&cited));
            if taken || kind == ResultKind::Whole {
                assert_eq!((refusal, world.session.status()), (None, &Status::Outcome("done".to_owned())), "{kind}");
            } else {
                assert_eq!(refusal, Some(ToolRefusal::NoEvidence { cited: vec![format!("{cited} is {kind}")] }));
            }
        }
    }
}

#[test]
fn what_is_no_result_of_this_session_is_no_evidence() {
    let mut world = world();
    let seq = result(&mut world, 1, ok());
    let other = Evidence { session: SessionId::new(uuid::Uuid::from_u128(8)), seq };
    let session = world.session.id();
    let ids = [
        other.to_string(),
        id(&world, Seq(1)),
        id(&world, Seq(seq.0 + 1)),
        format!("{session}/+{seq}"),
        format!("{session}/0{seq}"),
        format!("{session}/{seq} "),
        session.to_string(),
        String::new(),
    ];
    for cited in ids {
        let refusal = claim(&mut world, std::slice::from_ref(&cited));
        assert_eq!(refusal, Some(ToolRefusal::UnknownEvidence { unknown: vec![cited] }));
    }
    let cited = id(&world, seq);
    assert_eq!(claim(&mut world, &[cited]), None);
}

#[test]
fn a_result_that_only_the_log_holds_is_evidence_as_it_was() {
    for (kind, taken) in [(Some(ResultKind::Whole), true), (Some(ResultKind::Failed), false), (None, false)] {
        let mut world = world();
        let seq = result(&mut world, 1, ok());
        // A place far behind, which the session itself does not hold.
        let old = Seq(seq.0 - 1);
        assert_eq!(world.session.result(old), None);
        world.older.extend(kind.map(|kind| (old, kind)));
        let cited = id(&world, old);
        assert_eq!(claim(&mut world, &[cited]).is_none(), taken, "{kind:?}");
    }
}

#[test]
fn a_report_stands_on_what_is_evidence_only() {
    let mut world = world();
    result(&mut world, 1, failed());
    let whole = result(&mut world, 2, ok());
    world.calls(&[("finish_turn", json!({"content": "c", "confidence": 0.9, "rationale": "r"}))]);
    assert_eq!(world.session.reports().values().next().unwrap().evidence, [whole]);
}

#[test]
fn ids_are_read_as_they_are_written() {
    let text = "ses_0192000000007000800000000000000a";
    let session: SessionId = text.parse().unwrap();
    assert_eq!(session.to_string(), text);
    for other in [
        "ses_0192000000007000800000000000000A",
        "ses_01920000-0000-7000-8000-00000000000a",
        "ses_{01920000-0000-7000-8000-00000000000a}",
        "ses_urn:uuid:01920000-0000-7000-8000-00000000000a",
        "SES_0192000000007000800000000000000a",
    ] {
        assert!(other.parse::<SessionId>().is_err(), "{other}");
    }
    assert_eq!(Evidence::parse(&format!("{text}/8")), Some(Evidence { session, seq: Seq(8) }));
    for other in ["+8", "08", "-8", "8 ", " 8", "8/9", "", "18446744073709551616"] {
        assert_eq!(Evidence::parse(&format!("{text}/{other}")), None, "{other}");
    }
    for (call, assignment) in [("1.2.3", Some(1)), ("+1.2.3", None), ("01.2.3", None), ("person.4", None)] {
        assert_eq!(CallId::new(call).assignment().map(|id| id.0), assignment, "{call}");
    }
}

#[test]
fn every_finding_is_kept() {
    let mut world = world();
    world.calls(&[("note", json!({"n": 1})), ("also_note", json!({"n": 2})), ("note", json!({"n": 3}))]);
    let noted: Vec<&Value> = world.session.findings()["note"].iter().map(|finding| &finding["n"]).collect();
    assert_eq!((noted, world.session.findings().len()), (vec![&json!(1), &json!(3)], 2));
}

/// Red where only the list `evidence` is looked at.
#[test]
fn what_a_schema_calls_evidence_is_held_against_the_log() {
    let schema = || {
        let id = json!({"type": "string", "x-evidence": true});
        ArgSchema::new(json!({"type": "object", "properties": {"seen": id, "of": {"type": "array", "items": id}}}))
            .unwrap()
    };
    for tool in ["note", "mark_done"] {
        let mut world = world();
        world.pack.findings_tools.get_mut("note").unwrap().schema = schema();
        world.pack.terminal_tools.get_mut("mark_done").unwrap().schema = schema();
        let bad = result(&mut world, 1, failed());
        let good = result(&mut world, 2, ok());
        let id = |seq: Seq| Evidence { session: world.session.id(), seq }.to_string();
        let (bad, good) = (id(bad), id(good));
        let refused = |events: &[EventBody]| {
            events.iter().find_map(|event| match event {
                EventBody::ToolRefused(refused) => Some(refused.refusal.word()),
                EventBody::ClaimRefused(refused) => Some(refused.refusal.word()),
                _ => None,
            })
        };
        for (args, word) in [
            (json!({"seen": bad}), Some("no_evidence")),
            (json!({"of": [good, "nothing"]}), Some("unknown_evidence")),
            (json!({"seen": good, "of": [good]}), None),
        ] {
            let events = world.calls(&[(tool, args.clone())]);
            assert_eq!(refused(&events), word, "{tool} {args}");
        }
    }
}

/// The findings that were kept, and why others were not.
fn noted(change: impl FnOnce(&mut FindingsTool), calls: &[Value]) -> (Vec<Value>, Vec<ToolRefusal>) {
    let mut world = world();
    change(world.pack.findings_tools.get_mut("note").unwrap());
    let calls: Vec<_> = calls.iter().map(|args| ("note", args.clone())).collect();
    let events = world.calls(&calls);
    let refused = events.iter().filter_map(|event| match event {
        EventBody::ToolRefused(refused) => Some(refused.refusal.clone()),
        _ => None,
    });
    let kept = world.session.findings().get("note").into_iter().flatten().map(|finding| (**finding).clone());
    (kept.collect(), refused.collect())
}

#[test]
fn an_agent_records_the_same_finding_once() {
    let calls = [
        json!({"n": 1, "rule": "a"}),
        json!({"n": 2, "rule": "a"}),
        json!({"n": 1, "rule": "a", "confidence": 0.5}),
        json!({"n": 1}),
        json!({"n": 1, "why": "again"}),
    ];
    let by = ["n", "rule"].map(str::to_owned).to_vec();
    let (kept, refused) = noted(|tool| tool.unique.clone_from(&by), &calls);
    assert_eq!(kept, [calls[0].clone(), calls[1].clone(), calls[3].clone()]);
    assert_eq!(refused, vec![ToolRefusal::FindingRepeated { by }; 2]);
    assert_eq!(noted(|_| {}, &calls).0.len(), 5, "without `unique` all are kept");
}

#[test]
fn a_findings_tool_takes_no_more_than_its_limit() {
    let calls = [json!({"n": 1}), json!({"n": 2}), json!({"n": 3})];
    let (kept, refused) = noted(|tool| tool.max = Some(2), &calls);
    let full = ToolRefusal::TooManyFindings { max: 2, tool: Some("note".to_owned()) };
    assert_eq!((kept.len(), refused), (2, vec![full]));
}

/// The confidences that were emitted, with their sources, and the mismatches.
/// Each confidence with where it came from, and each pair that did not agree.
type Confidences = (Vec<(f64, EnvelopeSource)>, Vec<(f64, f64)>);

fn confidences(world: &World) -> Confidences {
    let (mut emitted, mut mismatches) = (Vec::new(), Vec::new());
    for event in &world.log {
        match event {
            EventBody::ConfidenceEmitted(own) => emitted.push((own.confidence.get(), own.source)),
            EventBody::ConfidenceMismatched(own) => mismatches.push((own.argument.get(), own.envelope.get())),
            _ => {}
        }
    }
    (emitted, mismatches)
}

#[test]
fn a_findings_confidence_counts_and_beats_the_envelopes() {
    let finish = json!({"content": "c", "confidence": 0.9, "rationale": "r"});
    let mut world = world();
    world.calls(&[("note", json!({"n": 1, "confidence": 0.4}))]);
    assert_eq!(world.session.confidence(), Some(Confidence::new(0.4).unwrap()), "at once");
    world.calls(&[("finish_turn", finish.clone())]);
    let source = EnvelopeSource::FindingArguments;
    assert_eq!(confidences(&world), (vec![(0.4, source), (0.4, source)], vec![(0.4, 0.9)]));
    assert_eq!(world.session.reports().values().next().unwrap().confidence, Confidence::new(0.4).unwrap());
    let mut world = self::world();
    world.calls(&[("note", json!({"n": 1})), ("finish_turn", finish)]);
    assert_eq!(confidences(&world), (vec![(0.9, EnvelopeSource::FinishTool)], vec![]), "it stated none");
}

#[test]
fn the_border_of_a_mismatch_is_exact() {
    for (stated, envelope, differs) in [(0.85, 0.9, false), (0.1, 0.15, false), (0.85, 0.91, true), (0.3, 0.2499, true)]
    {
        let mut world = world();
        let finish = json!({"content": "c", "confidence": envelope, "rationale": "r"});
        world.calls(&[("note", json!({"confidence": stated})), ("finish_turn", finish.clone())]);
        assert_eq!(confidences(&world).1.len(), usize::from(differs), "a finding's {stated} and {envelope}");
        let mut world = self::world();
        let claim = json!({"confidence": stated, "summary": "s", "rationale": "r"});
        world.calls(&[("mark_done", claim), ("finish_turn", finish)]);
        assert_eq!(confidences(&world).1.len(), usize::from(differs), "a claim's {stated} and {envelope}");
    }
}
