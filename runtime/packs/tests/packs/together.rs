//! All mistakes of all files come out at once, and one mistake is told once.

use std::fs;

use crate::support::{change, check, copied, told};

#[test]
fn ten_mistakes_in_four_files_are_ten_errors() {
    let folder = copied();
    let pack = [
        ("version: 1", "version: ¦one"),
        ("entry: triage", "entry: ¦trige"),
        ("team: roster.teams", "team: ¦roster.team"),
        ("confidence_below: 0.7", "confidence_below: ¦7"),
    ];
    let triage = [("model: default", "model: ¦big"), ("when: healthy", "¦whn: healthy"), ("[evidence,", "[¦evidense,")];
    let resolution = [("deadline: 2m", "¦deadlin: 2m"), ("next: watcher", "next: ¦nowhere")];
    let skill = [("`metrics:scrape`", "`¦metrics:scrap`")];
    let mut expect = Vec::new();
    for (file, changes) in [
        ("agents/resolution/agent.yaml", &resolution[..]),
        ("agents/triage/SKILL.md", &skill[..]),
        ("agents/triage/agent.yaml", &triage[..]),
        ("pack.yaml", &pack[..]),
    ] {
        for (from, to) in changes {
            let (line, column) = change(folder.path(), file, from, to);
            expect.push(format!("{file}:{line}:{column}"));
        }
    }
    assert_eq!(expect.len(), 10);
    let errors = check(folder.path()).unwrap_err();
    let place = |error: &provost_form::FormError| {
        format!("{}:{}:{}", error.file.strip_prefix(folder.path()).unwrap().display(), error.line, error.column)
    };
    let found: Vec<String> = errors.0.iter().map(place).collect();
    let missing: Vec<_> = expect.iter().filter(|place| !found.contains(place)).collect();
    assert!(missing.is_empty(), "nothing at {missing:?}:\n{errors}");
    assert!(errors.0.iter().all(|error| !error.hint.is_empty()), "{errors}");
    // The two keys with a wrong name are missing under the right one.
    assert_eq!(found.len(), 12, "{errors}");
}

#[test]
fn without_a_manifest_the_agents_are_checked_all_the_same() {
    let folder = copied();
    change(folder.path(), "agents/triage/agent.yaml", "model: default", "model: big");
    change(folder.path(), "agents/watcher/agent.yaml", "next: resolution", "next: nobody");
    fs::write(folder.path().join("pack.yaml"), "pack: [\n").unwrap();
    let errors = check(folder.path()).unwrap_err();
    let told = told(folder.path(), &errors);
    assert_eq!(told["agents/triage/agent.yaml"], ["2:8: no model `big` is configured"]);
    assert_eq!(told["agents/watcher/agent.yaml"], ["10:29: no agent `nobody`"]);
    assert_eq!((told["pack.yaml"].len(), told.len()), (1, 3), "{errors}");
    fs::write(folder.path().join("pack.yaml"), "[]\n").unwrap();
    assert_eq!(check(folder.path()).unwrap_err().0.len(), 3);
    fs::remove_file(folder.path().join("pack.yaml")).unwrap();
    assert_eq!(check(folder.path()).unwrap_err().0.len(), 3);
}

#[test]
fn an_agent_nothing_leads_to_is_refused() {
    let folder = copied();
    let lost = folder.path().join("agents/lost");
    fs::create_dir(&lost).unwrap();
    let text = "# Nothing leads here.\nrole: triage\ndeadline: 2m\nroutes: [{when: default, next: end}]\n";
    fs::write(lost.join("agent.yaml"), text).unwrap();
    fs::write(lost.join("SKILL.md"), "Look.").unwrap();
    let errors = check(folder.path()).unwrap_err();
    assert_eq!(told(folder.path(), &errors)["agents/lost/agent.yaml"], ["2:1: no route leads to agent `lost`"]);
    let rule = "entry: triage\ndispatch: [{when: [{path: signal, value: lost}], next: lost}]";
    change(folder.path(), "pack.yaml", "entry: triage", rule);
    check(folder.path()).unwrap();
}

#[test]
fn what_an_agent_must_have() {
    let folder = copied();
    fs::remove_file(folder.path().join("agents/triage/SKILL.md")).unwrap();
    change(folder.path(), "agents/triage/agent.yaml", "fragments: [evidence, untrusted, finish]", "fragments: []");
    change(folder.path(), "agents/investigator/agent.yaml", "when: default", "when: other");
    change(folder.path(), "agents/resolution/agent.yaml", "role: resolution", "role: watcher");
    change(folder.path(), "agents/watcher/agent.yaml", "role: watcher", "role: investigator");
    let errors = check(folder.path()).unwrap_err();
    let told = told(folder.path(), &errors);
    assert_eq!(told["agents/triage/agent.yaml"], ["1:1: agent `triage` has no prompt"]);
    assert_eq!(told["agents/investigator/agent.yaml"], ["7:3: agent `investigator` has no `default` route"]);
    assert!(
        told["agents/resolution/agent.yaml"]
            .iter()
            .any(|e| e == "1:7: an agent of role `watcher` must say what it measures")
    );
    assert!(
        told["agents/watcher/agent.yaml"]
            .iter()
            .any(|e| e.ends_with("an agent of role `investigator` measures nothing"))
    );
}

#[test]
fn bound_rosters_must_be_there_for_the_tools_an_agent_holds() {
    let folder = copied();
    change(folder.path(), "pack.yaml", "  teams: [payments-oncall, platform-oncall]\n", "");
    change(folder.path(), "agents/resolution/agent.yaml", "  - \"service:status\"", "  - \"notify:oncall\"");
    let errors = check(folder.path()).unwrap_err();
    let told = told(folder.path(), &errors);
    assert_eq!(told["agents/resolution/agent.yaml"], ["5:5: no roster `teams`"]);
}
