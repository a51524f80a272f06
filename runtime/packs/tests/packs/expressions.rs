//! Expressions and types in a pack's files, and the mistakes in them. What packs wrote before keeps its meaning.

use provost_domain::ids::ToolName;
use provost_domain::pack::RouteTo;

use crate::support::{change, check, copied, with, wrong};

const PACK: &str = "pack.yaml";
const TRIAGE: &str = "agents/triage/agent.yaml";
const RULE: &str = "    - {tool: \"service:rollback\", risk: high}";
const REQUIRES: &str = "requires: {watcher: recovered}";
const ARGS: &str = "args: {team: roster.teams, reason: string, confidence: confidence, rationale: string}";

#[test]
fn a_gate_rule_has_a_condition() {
    let rule = |when: &str| format!("{RULE}\n    - {{tool: \"service:*\", when: {when}, action: approve}}");
    let pack = with(PACK, RULE, &rule("'fields.environment == \"production\" && tool.effect != \"read\"'"));
    let when = pack.gates.rules.iter().find_map(|rule| rule.when.as_ref()).unwrap();
    assert_eq!(when.text(), "fields.environment == \"production\" && tool.effect != \"read\"");
    let plain = with(PACK, RULE, RULE);
    assert_ne!(plain.gates.digest, pack.gates.digest, "an approval is bound to the condition");
    for (when, part) in [
        ("¦'fields.environment == \"prodution\"'", "`prodution` is not a value of the roster `environments`"),
        ("¦'fields.enviroment == \"production\"'", "did you mean `environment`?"),
        ("¦'tool.effct == \"read\"'", "did you mean `effect`?"),
        ("¦'fields.service'", "a condition is needed"),
        ("¦'fields.service =='", "a value is missing"),
        ("¦'windows.freeze'", "`windows` is not known here"),
    ] {
        wrong(PACK, RULE, &rule(when), part);
    }
}

#[test]
fn a_route_has_a_signal_a_condition_or_both() {
    let routes = "- {signal: healthy, when: 'report.?real.orValue(false) && confidence > 0.5', next: watcher}";
    let pack = with(TRIAGE, "- {when: healthy, next: watcher}", routes);
    let triage = pack.agents.values().find(|agent| agent.name.as_str() == "triage").unwrap();
    let route = triage.routes.iter().find(|route| route.condition.is_some()).unwrap();
    assert_eq!((route.when.as_str(), &route.to), ("healthy", &RouteTo::Agent("watcher".into())));
    let pack = with(TRIAGE, "- {when: healthy, next: watcher}", "- {when: 'confidence > 0.5', next: watcher}");
    let triage = pack.agents.values().find(|agent| agent.name.as_str() == "triage").unwrap();
    assert_eq!(triage.routes.first().unwrap().when, "default");
    assert!(!triage.routes.first().unwrap().is_default());
    for (route, part) in [
        ("- {signal: healthy, when: ¦'confidence > \"x\"', next: watcher}", "compares two numbers or two texts"),
        ("- {signal: healthy, when: ¦confident, next: watcher}", "`confident` is not known here"),
        ("- {next: ¦watcher}", "none after it is reached"),
    ] {
        wrong(TRIAGE, "- {when: healthy, next: watcher}", route, part);
    }
}

#[test]
fn a_dispatch_rule_has_an_expression_or_comparisons() {
    let dispatch = |when: &str| format!("entry: triage\ndispatch: [{{when: {when}, next: end}}]");
    let pack = with(PACK, "entry: triage", &dispatch("'retries > 3'"));
    assert_eq!(pack.dispatch.first().unwrap().condition.as_ref().unwrap().text(), "retries > 3");
    let pack = with(PACK, "entry: triage", &dispatch("[{path: retries, op: \">\", value: 3}]"));
    assert_eq!((pack.dispatch[0].when.len(), &pack.dispatch[0].condition), (1, &None));
    wrong(PACK, "entry: triage", &dispatch("¦'retris > 3'"), "did you mean `retries`?");
}

#[test]
fn a_terminal_tool_requires_conditions_or_signals() {
    let requires = |that: &str| format!("requires: [{{that: {that}, else: measure first}}]");
    let that = "'reports.watcher.signal == \"recovered\" && !reports.watcher.stale && args.summary != \"\"'";
    let pack = with(PACK, REQUIRES, &requires(that));
    let tool = &pack.terminal_tools[&ToolName::new("mark_resolved")];
    assert_eq!((tool.requires.len(), tool.conditions.len()), (0, 1));
    assert_eq!(tool.conditions[0].otherwise, "measure first");
    let before = with(PACK, REQUIRES, REQUIRES);
    let tool = &before.terminal_tools[&ToolName::new("mark_resolved")];
    assert_eq!((tool.requires.len(), tool.conditions.len()), (1, 0));
    wrong(PACK, REQUIRES, &requires("¦'reports.wacher.stale'"), "did you mean `watcher`?");
    wrong(PACK, REQUIRES, &requires("¦'reports.watcher.signal == \"recoverd\"'"), "did you mean `recovered`?");
    wrong(PACK, REQUIRES, "requires: [¦{that: \"true\"}]", "`else` is missing");
}

#[test]
fn arguments_and_fields_have_types_in_the_shorthand() {
    let args = "args: {team: roster.teams, reason: \"optional text, why it is handed over\", level: low | high, confidence: confidence, rationale: string}";
    let pack = with(PACK, ARGS, args);
    let schema = pack.terminal_tools[&ToolName::new("mark_escalated")].schema.raw().clone();
    assert_eq!(
        schema["properties"]["reason"],
        serde_json::json!({"type": "string", "maxLength": 65_536, "description": "why it is handed over"})
    );
    assert_eq!(schema["properties"]["level"], serde_json::json!({"type": "string", "enum": ["low", "high"]}));
    assert!(!schema["required"].as_array().unwrap().iter().any(|name| name == "reason"));
    let before = with(PACK, ARGS, ARGS).terminal_tools[&ToolName::new("mark_escalated")].schema.raw().clone();
    assert_eq!(before["properties"]["reason"], serde_json::json!({"type": "string", "maxLength": 8192}));
    assert_eq!(before["required"].as_array().unwrap().len(), 4);
    for (written, part) in [
        ("args: {team: roster.teams, reason: ¦strin, confidence: confidence}", "did you mean `string`?"),
        ("args: {team: ¦roster.team, reason: string}", "no roster `team`"),
        ("args: {team: roster.teams, reason: ¦low | two words}", "`two words` cannot be one of several words"),
        ("args: {team: roster.teams, reason: ¦low | low}", "written twice"),
        ("args: {team: roster.teams, reason: ¦\"string[][]\"}", "a list of lists"),
    ] {
        wrong(PACK, ARGS, written, part);
    }
}

#[test]
fn objects_are_declared_once_under_types() {
    let args = format!("{} }}", ARGS.trim_end_matches('}').to_owned() + ", causes: \"cause[]\"");
    let types = "entry: triage\ntypes:\n  cause: {name: string, team: optional roster.teams, sure: confidence}";
    let folder = copied();
    change(folder.path(), PACK, ARGS, &args);
    change(folder.path(), PACK, "entry: triage", types);
    let pack = check(folder.path()).unwrap();
    let schema = pack.terminal_tools[&ToolName::new("mark_escalated")].schema.raw().clone();
    let cause = &schema["properties"]["causes"]["items"];
    assert_eq!(cause["required"], serde_json::json!(["name", "sure"]));
    assert_eq!(cause["properties"]["team"], serde_json::json!({"enum": ["payments-oncall", "platform-oncall"]}));
    let folder = copied();
    change(folder.path(), PACK, ARGS, &args);
    change(folder.path(), PACK, "entry: triage", "entry: triage\ntypes:\n  cause: {inner: \"cause[]\"}");
    let errors = check(folder.path()).unwrap_err();
    assert!(errors.0.iter().all(|error| error.message.contains("contains itself")), "{errors}");
}
