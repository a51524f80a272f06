//! The shipped files load; every mistake is found, with its place.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use provost_domain::ids::ToolName;
use provost_domain::schema::ArgSchema;
use provost_domain::tool::{Catalog, EffectClass, Risk, ToolSpec};
use provost_packs::{Known, PackErrors, load, load_config};
use serde_json::json;

fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn catalog() -> Catalog {
    let tools = [
        ("metrics:scrape", EffectClass::Read),
        ("logs:tail", EffectClass::Read),
        ("service:status", EffectClass::Read),
        ("service:releases", EffectClass::Read),
        ("service:rollback", EffectClass::Unsafe),
        ("service:restart", EffectClass::Idempotent),
        ("notify:oncall", EffectClass::Idempotent),
    ];
    tools.into_iter().map(|(name, effect)| (ToolName::new(name), Arc::new(spec(name, effect)))).collect()
}

fn spec(name: &str, effect: EffectClass) -> ToolSpec {
    ToolSpec {
        name: ToolName::new(name),
        description: String::new(),
        schema: ArgSchema::new(json!({"type": "object"})).unwrap(),
        effect,
        risk: Risk::Low,
        timeout: Duration::from_secs(1),
        output_limit: 1000,
        rosters: BTreeMap::new(),
    }
}

fn check(folder: &Path) -> Result<provost_domain::pack::Pack, PackErrors> {
    let models = BTreeSet::from(["default".to_owned()]);
    load(folder, Known { catalog: &catalog(), models: &models })
}

/// The shipped pack in a folder of its own, with replacements.
fn broken(changes: &[(&str, &str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    copy(&shipped("skills/incident"), folder.path());
    for (file, from, to) in changes {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} does not hold {from}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    }
    let errors = check(folder.path()).unwrap_err().to_string();
    errors.replace(&format!("{}/", folder.path().display()), "")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[track_caller]
fn says(changes: &[(&str, &str, &str)], parts: &[&str]) {
    let errors = broken(changes);
    for part in parts {
        assert!(errors.contains(part), "does not say `{part}`:\n{errors}");
    }
}

#[test]
fn the_shipped_pack_loads() {
    let pack = check(&shipped("skills/incident")).unwrap();
    assert_eq!((pack.name.as_str(), pack.agents.len(), pack.entry.as_str()), ("incident", 4, "triage"));
    let resolved = pack.terminal_tools.get("mark_resolved").unwrap();
    let args = json!({"summary": "s", "confidence": 1, "rationale": "r", "evidence": ["x"]});
    assert_eq!(resolved.schema.problems(&args), Vec::<String>::new());
    let with_status = json!({"summary": "s", "confidence": 1, "rationale": "r", "evidence": ["x"], "status": "x"});
    assert_eq!(resolved.schema.problems(&with_status).len(), 1);
    assert!(pack.agents.values().all(|agent| agent.watch.is_some() || agent.prompt.contains("finish_turn")));
}

#[test]
fn the_shipped_configuration_loads_and_variables_are_replaced() {
    let path = shipped("config/provost.yaml");
    let config = load_config(&path, &|name| (name == "SHOP_URL").then(|| "http://127.0.0.1:1".to_owned())).unwrap();
    assert_eq!(config.tools.metrics.unwrap().endpoint, "http://127.0.0.1:1/metrics");
    assert_eq!(config.store, "sqlite:///var/lib/provost/provost.db");
    assert!(config.packs.first().unwrap().join("pack.yaml").exists());
}

#[test]
fn configuration_mistakes_name_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.yaml");
    for (text, part) in [
        ("store: sqlite://x\npacks: []\nmodels: {}\ntols: {}\n", ":4:"),
        ("store: ${NOWHERE}\npacks: []\nmodels: {}\n", ":1:8: the variable `NOWHERE` is not set"),
        ("store: mysql://x\npacks: []\nmodels: {}\n", "`mysql://x` is not known"),
        ("store: [\n", "provost.yaml:"),
    ] {
        fs::write(&path, text).unwrap();
        let error = load_config(&path, &|_| None).unwrap_err().to_string();
        assert!(error.contains(part), "does not say `{part}`: {error}");
    }
    fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    assert!(load_config(&path, &|_| None).unwrap_err().to_string().contains("not UTF-8"));
}

#[test]
fn a_wrong_name_is_found_wherever_it_stands() {
    let triage = "agents/triage/agent.yaml";
    says(&[("pack.yaml", "entry: triage", "entry: trige")], &["no agent `trige`", "did you mean `triage`?"]);
    says(&[(triage, "healthy, next: watcher", "healthy, next: wacher")], &["agent.yaml:6:27: no agent `wacher`"]);
    says(&[(triage, "model: default", "model: big")], &["agent.yaml:2:8: no model `big` is configured"]);
    says(&[(triage, "\"service:status\"", "\"service:stats\"")], &["no tool `service:stats`", "`service:status`?"]);
    says(&[(triage, "\"service:status\"", "status")], &["no tool `status`", "write the full name: service:status"]);
    says(&[(triage, "\"service:status\"", "\"service:rollback\"")], &["role `triage` only reads"]);
    says(&[(triage, "update_incident]", "mark_resolved]")], &["may not hold the terminal tool `mark_resolved`"]);
    says(&[(triage, "when: default", "when: other")], &["agent `triage` has no `default` route"]);
    says(&[(triage, "[evidence,", "[evidense,")], &["no shared fragment `evidense`", "`evidence`?"]);
    says(&[("pack.yaml", "effect: \"notify:oncall\"", "effect: \"notify:all\"")], &["no tool `notify:all`"]);
    says(&[("pack.yaml", "tool: \"service:rollback\"", "tool: \"service:rolback\"")], &["matches no tool"]);
    says(&[("pack.yaml", "team: roster.teams", "team: roster.team")], &["no roster `team`", "`teams`?"]);
    says(&[("pack.yaml", "outcome: escalated", "outcome: escaladed")], &["outcome `escaladed`"]);
    says(&[("pack.yaml", "requires: {watcher:", "requires: {wacher:")], &["no agent `wacher`"]);
    says(&[("agents/watcher/agent.yaml", "tool: \"metrics:scrape\"", "tool: \"service:restart\"")], &["only reads"]);
    says(&[("agents/triage/SKILL.md", "`metrics:scrape`", "`logs:tail`")], &["which this agent does not hold"]);
    says(&[("agents/triage/SKILL.md", "`metrics:scrape`", "`metrics:scrap`")], &["which is no tool"]);
}

#[test]
fn unknown_keys_and_wrong_types_are_refused_everywhere() {
    says(&[("pack.yaml", "confidence_below: 0.7", "confidence_belov: 0.7")], &["confidence_belov", "pack.yaml:"]);
    says(&[("agents/triage/agent.yaml", "deadline: 2m", "deadline: soon")], &["agent.yaml:4:"]);
    says(&[("agents/triage/agent.yaml", "when: healthy, next", "when: healthy, nxt")], &["nxt"]);
}

#[test]
fn all_errors_come_at_once() {
    let errors = broken(&[
        ("pack.yaml", "entry: triage", "entry: nobody"),
        ("agents/triage/agent.yaml", "model: default", "model: big"),
        ("agents/resolution/agent.yaml", "next: watcher", "next: nowhere"),
    ]);
    for part in ["no agent `nobody`", "no model `big`", "no agent `nowhere`"] {
        assert!(errors.contains(part), "{errors}");
    }
}

#[test]
fn a_missing_pack_says_so() {
    let errors = check(Path::new("nowhere")).unwrap_err().to_string();
    assert!(errors.contains("nowhere/pack.yaml: cannot be read"), "{errors}");
}
