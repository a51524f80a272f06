//! One mistake, one error: with its file, its place, what is wrong and what to do.

use crate::support::{change, check, copied, loaded};

const PACK: &str = "pack.yaml";
const TRIAGE: &str = "agents/triage/agent.yaml";
const RESOLUTION: &str = "agents/resolution/agent.yaml";
const WATCHER: &str = "agents/watcher/agent.yaml";
const SKILL: &str = "agents/triage/SKILL.md";
/// The front matter of that file.
const FRONT: &str = "---\nname: incident-triage\n\
    description: First look at an alert. Is the trouble real and present, and how bad is it?\n---\n";

/// A file, what is replaced in it, by what (with `¦` where the place is expected), and a part of message or hint.
type Mistake = (&'static str, &'static str, &'static str, &'static str);

#[track_caller]
pub(crate) fn check_all(mistakes: &[Mistake]) {
    let mut wrong = Vec::new();
    for (file, from, to, part) in mistakes {
        let folder = copied();
        let place = change(folder.path(), file, from, to);
        let errors = check(folder.path()).err().map(|errors| errors.0).unwrap_or_default();
        let fits = |file_of: &str| {
            let [error] = errors.as_slice() else { return false };
            let text = format!("{}\n{}", error.message, error.hint);
            error.file == folder.path().join(file_of) && (error.line, error.column) == place && text.contains(part)
        };
        if !fits(file) {
            let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
            wrong.push(format!("{to}\n  expected {file}:{}:{}: {part}\n  found {errors:#?}", place.0, place.1));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_model_server_would_refuse() {
    let two = "tools: [\"odd:a/b\", ¦\"odd:a.b\", \"metrics:scrape\",";
    check_all(&[(TRIAGE, "tools: [\"metrics:scrape\",", two, "two tools have this name on the wire")]);
}

#[test]
fn of_form() {
    check_all(&[
        (PACK, "confidence_below: 0.7", "¦confidence_belov: 0.7", "did you mean `confidence_below`?"),
        (PACK, "approvers: {min: 1,", "approvers: {min: 1, ¦role: approver,", "unknown key `role`"),
        (PACK, "entry: triage", "¦entri: triage\nentry: triage", "unknown key `entri`"),
        (PACK, "entry: triage", "entry: triage\n¦entry: triage", "the key `entry` is written twice"),
        (PACK, "teams: [", "teams: [a]\n  ¦teams: [", "the key `teams` is written twice"),
        (PACK, "version: 1", "version: ¦one", "expected a whole number from 0, found a text"),
        (PACK, "version: 1", "version: ¦-1", "found `-1`"),
        (PACK, "version: 1", "version: ¦99999999999999999999999", "expected a whole number from 0"),
        (PACK, "handle: INC ", "handle: ¦7 ", "expected a text, found `7`"),
        (PACK, "handle: INC ", "handle: ¦inc ", "not a handle's prefix"),
        (PACK, "{kind: success}", "¦{}", "the key `kind` is missing"),
        (PACK, "{kind: success}", "{kind: ¦succes}", "did you mean `success`?"),
        (PACK, "{kind: success}", "¦success", "expected a table, found a text"),
        (PACK, "effect: \"notify:oncall\"", "effect: ¦\"\"", "the text is empty"),
        (PACK, "retry: {max: 2,", "retry: ¦{", "the key `max` is missing"),
        (PACK, "confidence_below: 0.7", "confidence_below: ¦1.5", "1.5 is not a confidence"),
        (PACK, "confidence_below: 0.7", "confidence_below: ¦.nan", "expected a number"),
        (PACK, "low_confidence_below: 0.4", "low_confidence_below: ¦-0.1", "-0.1 is not a confidence"),
        (PACK, "expires: 30m", "expires: ¦0s", "the duration is zero"),
        (PACK, "expires: 30m", "expires: ¦30", "expected a duration, found `30`"),
        (PACK, "expires: 30m", "expires: ¦2years", "longer than a year"),
        (PACK, "min: 1,", "min: ¦0,", "expected a whole number from 1, found `0`"),
        (PACK, "not_requester: true", "not_requester: ¦yes", "expected true or false, found a text"),
        (PACK, "model_calls_per_turn: 12", "model_calls_per_turn: ¦0", "from 1, found `0`"),
        (PACK, "session_tokens: 200000", "session_tokens: ¦0", "from 1, found `0`"),
        (PACK, "session_cost_usd: 2.0", "session_cost_usd: ¦0.0", "0 is not a limit of a cost"),
        (PACK, "session_cost_usd: 2.0", "no_progress: ¦1", "from 2, found `1`"),
        (TRIAGE, "deadline: 2m", "deadline: ¦soon", "not a duration"),
        (TRIAGE, "role: triage", "role: ¦triag", "did you mean `triage`?"),
        (TRIAGE, "{when: healthy, next", "{when: healthy, ¦nxt: x, next", "unknown key `nxt`"),
        (TRIAGE, "tools: [", "tools: [¦7, ", "expected a text, found `7`"),
        (WATCHER, "consecutive: 3", "consecutive: ¦0", "from 1, found `0`"),
        (WATCHER, "every: 500ms", "every: ¦0ms", "the duration is zero"),
        (WATCHER, "op: \"<\"", "op: ¦\"<<\"", "`<<` is not known here"),
        (SKILL, FRONT, "¦---\nname: x\n", "the front matter has no end"),
        (PACK, "[staging, production]", "¦*none", "correct it and check again"),
        (PACK, "entry: triage", "¦<<: {entry: triage}", "correct it and check again"),
    ]);
}

#[test]
fn of_names_that_lead_nowhere() {
    check_all(&[
        (PACK, "requires: {watcher:", "requires: {¦wacher:", "no agent `wacher`"),
        (PACK, "{watcher: recovered}", "{watcher: ¦recoverd}", "agent `watcher` never reports `recoverd`"),
        (PACK, "effect: \"notify:oncall\"", "effect: ¦\"notify:all\"", "no tool `notify:all`"),
        (PACK, "outcome: escalated", "outcome: ¦escaladed", "did you mean `escalated`?"),
        (PACK, "team: roster.teams", "team: ¦roster.team", "did you mean `teams`?"),
        (PACK, "reason: string", "reason: ¦strin", "did you mean `string`?"),
        (PACK, "x-roster: environments", "x-roster: ¦environment", "no roster `environment`"),
        (PACK, "environment: fields.environment", "environment: ¦fields.enviroment", "did you mean `environment`?"),
        (PACK, "session.id", "¦session.di", "is not a source of an argument"),
        (PACK, "session_id: session", "¦session_ix: session", "no tool has an argument `session_ix`"),
        (
            PACK,
            "fields: [severity, summary]",
            "fields: [severity, summary, ¦sumary]",
            "the session has no field `sumary`",
        ),
        (
            PACK,
            "      severity: {sev1",
            "      ¦severty: {x: y}\n      severity: {sev1",
            "the tool does not patch `severty`",
        ),
        (PACK, "p1: critical", "p1: ¦criticl", "is not a value of the field `severity`"),
        (PACK, "tool: \"service:rollback\"", "tool: ¦\"service:rolback\"", "matches no tool"),
        (PACK, "environment: [production]", "environment: [¦prodction]", "did you mean `production`?"),
        (PACK, "environment: [production]", "environment: ¦[]", "names no environment"),
        (PACK, "risk: high}", "risk: ¦hih}", "did you mean `high`?"),
        (
            PACK,
            "entry: triage",
            "entry: triage\ndispatch: [{when: [{path: signal, value: x}], next: ¦nobody}]",
            "no agent `nobody`",
        ),
        (
            PACK,
            "entry: triage",
            "entry: triage\ndispatch: [{when: [{path: ¦signl, value: x}], next: end}]",
            "did you mean `signal`?",
        ),
        (
            PACK,
            "entry: triage",
            "entry: triage\ndispatch: [{when: [{path: ¦fields.x, value: x}], next: end}]",
            "no field `x`",
        ),
        (PACK, "entry: triage", "entry: triage\ndispatch: [{when: ¦[], next: end}]", "no condition always holds"),
        (TRIAGE, "healthy, next: watcher", "healthy, next: ¦wacher", "did you mean `watcher`?"),
        (TRIAGE, "model: default", "model: ¦big", "no model `big` is configured"),
        (TRIAGE, "[evidence,", "[¦evidense,", "did you mean `evidence`?"),
        (TRIAGE, "\"service:status\"", "¦\"service:stats\"", "did you mean `service:status`?"),
        (TRIAGE, "\"service:status\"", "¦status", "write the full name: service:status"),
        (
            WATCHER,
            "tool: \"metrics:scrape\"",
            "tool: ¦\"metrics:scrap\"",
            "`metrics:scrap` is not a tool that only reads",
        ),
    ]);
}

#[test]
fn of_authority_and_flow() {
    check_all(&[
        (TRIAGE, "\"service:status\"", "¦\"service:rollback\"", "role `triage` only reads"),
        (
            TRIAGE,
            "update_incident]",
            "update_incident, ¦mark_resolved]",
            "may not hold the terminal tool `mark_resolved`",
        ),
        (TRIAGE, "update_incident]", "update_incident, ¦update_incident]", "is listed twice"),
        (TRIAGE, "when: healthy", "when: ¦Healthy", "`Healthy` is not a signal"),
        (TRIAGE, "when: healthy", "when: ¦not-well", "`not-well` is not a signal"),
        (TRIAGE, "when: degraded", "when: ¦healthy", "the signal `healthy` has two routes"),
        (TRIAGE, "healthy, next: watcher}", "healthy, next: ¦watcher, wait: operator}", "`next` or `wait`, not both"),
        (TRIAGE, "when: healthy, next: watcher}", "when: ¦healthy}", "the route leads nowhere"),
        (WATCHER, "when: not_recovered", "when: ¦unsure", "an agent that measures never reports `unsure`"),
        (WATCHER, "tool: \"metrics:scrape\"", "tool: ¦\"service:restart\"", "is not a tool that only reads"),
        (WATCHER, "series: [http", "¦seres: [http", "has no argument `seres`"),
        (WATCHER, "series: [http_errors_ratio]", "series: ¦7", "would refuse this"),
        (WATCHER, "series: [http_errors_ratio]", "series: [¦7]", "would refuse this"),
        (WATCHER, "series: [http_errors_ratio]", "series: [x], ¦service: shop", "the runtime supplies `service`"),
        (
            WATCHER,
            "series: [http_errors_ratio]",
            "series: [x], window: ¦\"{{ fields.nothing }}\"",
            "no field `nothing`",
        ),
        (WATCHER, "until: [{path: http_errors_ratio.now, op: \"<\", value: 0.02}]", "until: ¦[]", "always holds"),
        (WATCHER, "value: 0.02", "value: ¦[0.02]", "expected a number or a text, found a list"),
        (WATCHER, "path: http_errors_ratio.now, op: \"<\", value: 0.02", "path: ¦a", "has no value"),
    ]);
}

#[test]
fn of_declared_tools_and_schemas() {
    check_all(&[
        (
            PACK,
            "  resolved: {kind: success}",
            "  resolved: {kind: success}\n  ¦stopped: {kind: neutral}",
            "is a status that",
        ),
        (
            PACK,
            "  submit_hypothesis: {",
            "  ¦submit__it: {args: {}}\n  submit_hypothesis: {",
            "cannot be a tool's name",
        ),
        (
            PACK,
            "  submit_hypothesis: {",
            "  ¦finish_turn: {args: {}}\n  submit_hypothesis: {",
            "every agent already has",
        ),
        (PACK, "args: {hypotheses: list,", "args: {hypotheses: list, ¦hypotheses: list,", "is written twice"),
        (PACK, "patch_tools:\n", "patch_tools:\n  ¦submit_hypothesis: {fields: [summary]}\n", "is declared twice"),
        (PACK, "args: {summary: string,", "args: {¦evidence: list, summary: string,", "already has `evidence`"),
        (PACK, "args: {hypotheses: list,", "args: {hypotheses: {type: ¦lst},", "not a usable JSON Schema"),
        (
            PACK,
            "args: {hypotheses: list,",
            "args: {hypotheses: {type: array, ¦maxItms: 3},",
            "did you mean `maxItems`?",
        ),
        (PACK, "severity: {enum:", "severity: {¦enumm:", "unknown schema keyword `enumm`"),
        (PACK, "summary: {type: string,", "summary: {type: ¦strin,", "not a usable JSON Schema"),
        (
            PACK,
            "alert:\n      type: object",
            "alert:\n      properties: {x: {¦x-roster: teams}}\n      type: object",
            "enforced only on a property",
        ),
        (PACK, "staging, production", "staging, production]\n  empty: ¦[", "the roster `empty` allows nothing"),
        (
            PACK,
            "fields:                           # JSON Schema of a session's fields\n  type: object",
            "fields:\n  ¦type: array",
            "the fields must be an object",
        ),
    ]);
}

#[test]
fn of_prompts() {
    check_all(&[
        (SKILL, "`metrics:scrape`", "`¦logs:tail`", "which agent `triage` does not hold"),
        (SKILL, "`metrics:scrape`", "`¦metrics:scrap`", "did you mean `metrics:scrape`?"),
        (SKILL, "`metrics:scrape`", "`¦mark_resolved`", "which agent `triage` does not hold"),
        (SKILL, "`metrics:scrape`", "`metrics:scrape(series, ¦serie: [a, b])`", "did you mean `series`?"),
        (SKILL, "`metrics:scrape`", "`metrics:scrape({series: [x], ¦span: 1})`", "the argument `span`"),
        (
            SKILL,
            "`metrics:scrape`",
            "`metrics__scrape {\"series\": [x], \"¦service\": \"shop\"}`",
            "which the runtime supplies",
        ),
        (SKILL, "`metrics:scrape`", "`¦metrics:query(it)`", "`metrics:query`, which is not a tool"),
        (SKILL, "`metrics:scrape`", "`¦mark_resolve(it)`", "did you mean `mark_resolved`?"),
        (SKILL, "2. Compare", "2. You can ¦bypass the gate. Compare", "the prompt says `bypass the gate`"),
        ("shared/finish.md", "`finish_turn`", "`finish_turn {content, ¦sure: 1}`", "the argument `sure`"),
        ("shared/finish.md", "`finish_turn`", "`¦service:reload`", "which is not a tool"),
        ("shared/finish.md", "How your", "How to ¦skip the gate in your", "the prompt says `skip the gate`"),
        (PACK, "version: 1", "version: 1 # ¦${VERSION}", "`${` is left over"),
        (RESOLUTION, "deadline: 2m", "deadline: 2m # ¦${X:-2m}", "`${` is left over"),
    ]);
    let folder = copied();
    change(
        folder.path(),
        SKILL,
        "2. Compare",
        "2. `metrics:scrape(series: [a], window)`, `healthy`, `finish_turn`. Compare",
    );
    check(folder.path()).unwrap();
}

/// Prompts of public repositories are written for other programs.
#[test]
fn what_is_odd_in_a_prompt_is_told_and_refuses_nothing() {
    for (from, to, part) in [
        ("name: incident-triage", "name: incident-triage\n¦disable-model-invocation: true", "unknown key"),
        ("name: incident-triage", "name: ¦[x]", "expected a text, found a list"),
        ("description: First look", "¦description: Look. Triggers: first look", "in quotes"),
        ("2. Compare", "2. Use `¦open_page()` as a context manager. Compare", "`open_page`, which is not a tool"),
        ("2. Compare", "2. Try `¦isinstance(x, str)`. Compare", "which is not a tool"),
        ("2. Compare", "2. Ask `¦owner:team`. Compare", "which is not a tool"),
        ("2. Compare", "2. Call `¦mcp__files__read`. Compare", "which is not a tool"),
        ("2. Compare", "2. Run `curl \"¦${HOST}\"`. Compare", "`${` is left over"),
        ("2. Compare", "2. ¦Close the session of the database. Compare", "the prompt says `Close the session`"),
        ("2. Compare", "2. ¦Set\n   the status. Compare", "the prompt says `Set the status`"),
    ] {
        let folder = copied();
        let place = change(folder.path(), SKILL, from, to);
        let loaded = loaded(folder.path()).unwrap();
        let [warning] = loaded.warnings.as_slice() else { panic!("{to}: {:?}", loaded.warnings) };
        assert_eq!((warning.line, warning.column), place, "{warning}");
        assert!(warning.to_string().contains(part), "{warning}");
    }
    assert_eq!(loaded(copied().path()).unwrap().warnings, []);
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_prompt() {
    let folder = copied();
    for file in [SKILL, "shared/finish.md"] {
        let path = folder.path().join(file);
        std::fs::write(&path, format!("\u{feff}{}", std::fs::read_to_string(&path).unwrap())).unwrap();
    }
    let loaded = loaded(folder.path()).unwrap();
    assert_eq!(loaded.warnings, []);
    let prompt = &loaded.pack.agents.values().find(|agent| agent.name.as_str() == "triage").unwrap().prompt;
    assert!(prompt.starts_with("# Triage") && !prompt.contains('\u{feff}'), "{prompt}");
}
