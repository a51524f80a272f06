//! A small pack, built by hand: first → second → closer, and a gauge that watches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use provost_domain::condition::{Condition, Op};
use provost_domain::confidence::Confidence;
use provost_domain::gate::{ApprovalRule, GateAction, GatePolicy, GateRule};
use provost_domain::ids::{AgentName, Digest, ToolName};
use provost_domain::pack::{
    AgentSpec, ClaimOutcome, FindingsTool, InjectSource, Limits, OutcomeKind, Pack, PatchTool, Route, RouteTo,
    TerminalTool, WatchPlan, WatchSpec,
};
use provost_domain::port::Roles as _;
use provost_domain::retry::RetryPolicy;
use provost_domain::role::RoleSpec;
use provost_domain::roster::Rosters;
use provost_domain::schema::ArgSchema;
use serde_json::{Value, json};

fn schema(value: Value) -> ArgSchema {
    ArgSchema::new(value).unwrap()
}

fn terminal(outcome: &str, evidence: bool, extra: &str) -> TerminalTool {
    let mut properties = json!({
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "rationale": {"type": "string"},
        "evidence": {"type": "array", "items": {"type": "string"}},
    });
    properties[extra] = json!({"type": "string"});
    let mut required = vec![extra, "confidence", "rationale"];
    if evidence {
        properties["evidence"]["minItems"] = json!(1);
        required.push("evidence");
    }
    TerminalTool {
        about: None,
        outcome: ClaimOutcome::Fixed(outcome.to_owned()),
        schema: schema(
            json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties}),
        ),
        rosters: BTreeMap::new(),
        requires: BTreeMap::new(),
        conditions: Vec::new(),
        set: BTreeMap::new(),
        effect: None,
    }
}

/// The shipped role of this name.
fn role(name: &str) -> RoleSpec {
    provost_agents::StandardRoles.spec(&name.into()).unwrap()
}

fn agent(name: &str, role_name: &str, tools: &[&str], routes: Vec<Route>) -> (AgentName, AgentSpec) {
    let spec = AgentSpec {
        name: AgentName::new(name),
        role: role(role_name),
        model: "stub".to_owned(),
        tools: tools.iter().map(|tool| ToolName::new(*tool)).collect(),
        deadline: Duration::from_mins(2),
        routes,
        report_required: false,
        report_fields: None,
        prompt: "You are an agent.".into(),
        watch: None,
    };
    (spec.name.clone(), spec)
}

/// The pack, with a typed report demanded of every agent.
pub fn typed() -> Pack {
    let mut pack = pack();
    for agent in pack.agents.values_mut() {
        agent.report_required = true;
    }
    pack
}

/// Sets the pause between two polls of an agent that measures with one tool.
pub fn poll_every(agent: &mut AgentSpec, pause: Duration) {
    if let Some(WatchPlan::Single(watch)) = &mut agent.watch {
        watch.every = pause;
    }
}

/// A route.
pub fn route(when: &str, to: RouteTo) -> Route {
    Route { when: when.to_owned(), condition: None, to, gate_below: None }
}

/// To an agent.
pub fn to(agent: &str) -> RouteTo {
    RouteTo::Agent(AgentName::new(agent))
}

#[expect(clippy::too_many_lines, reason = "one literal")]
/// The pack. `act:unsafe` is gated by its risk, `act:safe` only in production, reads run.
pub fn pack() -> Pack {
    let mut escalated = terminal("escalated", false, "reason");
    escalated.rosters = BTreeMap::from([("team".to_owned(), "teams".to_owned())]);
    let mut raw = escalated.schema.raw().clone();
    raw["properties"]["team"] = json!({"type": "string"});
    raw["required"] = json!(["team", "reason", "confidence", "rationale"]);
    escalated.schema = schema(raw);
    escalated.effect = Some(ToolName::new("notify:team"));
    let patch = json!({"type": "object", "additionalProperties": false, "properties": {
        "level": {"enum": ["low", "high"]}, "summary": {"type": "string"}}});
    let mut gauge =
        agent("gauge", "watcher", &[], vec![route("recovered", to("closer")), route("default", to("closer"))]);
    gauge.1.deadline = Duration::from_secs(10);
    gauge.1.watch = Some(WatchPlan::Single(WatchSpec {
        tool: ToolName::new("read:gauge"),
        args: json!({"service": "{{ fields.service }}"}),
        until: vec![Condition { path: "level".to_owned(), op: Op::Lt, value: json!(5) }],
        every: Duration::from_millis(5),
        consecutive: 2,
    }));
    let reads = ["read:gauge", "note_finding", "update_case"];
    let acts = [
        "read:gauge",
        "act:unsafe",
        "act:safe",
        "act:idempotent",
        "act:probe",
        "mark_resolved",
        "mark_escalated",
        "update_case",
    ];
    Pack {
        name: "case".into(),
        version: 1,
        digest: Digest::of(b"case 1"),
        handle: "CASE".to_owned(),
        title: None,
        fields: schema(json!({"type": "object", "additionalProperties": false,
            "required": ["summary", "environment", "service"],
            "properties": {"summary": {"type": "string"}, "service": {"type": "string"},
                "environment": {"type": "string", "x-roster": "environments"}, "level": {"enum": ["low", "high"]}}})),
        rosters: Rosters(BTreeMap::from([
            ("environments".to_owned(), vec!["staging".to_owned(), "production".to_owned()]),
            ("teams".to_owned(), vec!["red".to_owned(), "blue".to_owned()]),
        ])),
        outcomes: BTreeMap::from([
            ("resolved".to_owned(), OutcomeKind::Success),
            ("escalated".to_owned(), OutcomeKind::Escalation),
        ]),
        terminal_tools: BTreeMap::from([
            (ToolName::new("mark_resolved"), terminal("resolved", true, "summary")),
            (ToolName::new("mark_escalated"), escalated),
        ]),
        findings_tools: BTreeMap::from([(
            ToolName::new("note_finding"),
            FindingsTool::of(schema(json!({"type": "object", "additionalProperties": false, "required": ["what"],
                "properties": {"what": {"type": "string"}}}))),
        )]),
        evidence_also: BTreeSet::new(),
        patch_tools: BTreeMap::from([(
            ToolName::new("update_case"),
            PatchTool {
                fields: vec!["level".to_owned(), "summary".to_owned()],
                schema: schema(patch),
                aliases: BTreeMap::from([(
                    "level".to_owned(),
                    BTreeMap::from([("sev1".to_owned(), "high".to_owned())]),
                )]),
            },
        )]),
        inject: BTreeMap::from([("environment".to_owned(), InjectSource::Field("environment".to_owned()))]),
        target: None,
        identity: vec!["environment".to_owned(), "service".to_owned()],
        supersede: Vec::new(),
        intake: BTreeMap::new(),
        schedules: Vec::new(),
        entry: AgentName::new("first"),
        agents: BTreeMap::from([
            agent(
                "first",
                "triage",
                &reads,
                vec![
                    route("operator", RouteTo::Operator),
                    route("watch", to("gauge")),
                    route("close", to("closer")),
                    route("default", to("second")),
                ],
            ),
            agent(
                "second",
                "investigator",
                &reads,
                vec![Route {
                    when: "default".to_owned(),
                    condition: None,
                    to: to("closer"),
                    gate_below: Confidence::new(0.5).ok(),
                }],
            ),
            agent("closer", "resolution", &acts, vec![route("watch", to("gauge")), route("default", RouteTo::End)]),
            gauge,
        ]),
        dispatch: Vec::new(),
        gates: GatePolicy {
            rules: vec![GateRule {
                tool: "act:safe".to_owned(),
                risk: None,
                action: Some(GateAction::Approve),
                environments: vec!["production".to_owned()],
                when: None,
            }],
            confidence_below: None,
            approval: ApprovalRule { expires: Duration::from_mins(30), min: 1, not_requester: true },
            digest: Digest::of(b"gates"),
        },
        retry: RetryPolicy { max: 2, transient: false, low_confidence_below: None },
        limits: Limits::default(),
    }
}

/// The pack, shared.
pub fn shared() -> Arc<Pack> {
    Arc::new(pack())
}
