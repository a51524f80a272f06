//! Servers of the kind `command`: what is started with which arguments, what its end means, and that nothing outlives a call.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use provost_domain::failure::FailureKind;
use provost_domain::tool::{EffectClass, Happened, Risk, ToolFailure, ToolOutcome};
use serde_json::{Value, json};

use crate::{SECRET, built, call, content, happened, prepared, section, tools};

/// A server of commands without a sandbox.
fn server(entries: &Value) -> Value {
    json!({"box": {"kind": "command", "run": {"none": "a test"}, "tools": entries}})
}

fn script(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

const HOSTILE: [&str; 9] =
    ["a b", "; touch /tmp/x", "$(id)", "`id`", "a\nb", "*", "'\"", "&& false", "${HOME} | cat > /tmp/x"];

#[tokio::test]
async fn a_value_is_one_argument_whatever_it_holds() {
    let argv = json!(["printf", "[%s]", "{{ args.a }}", "x={{ args.a }}", "end"]);
    let tools = tools(&server(&json!({"say": {"about": "Says it.", "args": {"a": "string"}, "argv": argv}})));
    for value in HOSTILE {
        let found = content(call(&tools, "box:say", json!({ "a": value })).await);
        assert_eq!(found, json!({"exit": 0, "stdout": format!("[{value}][x={value}][end]"), "stderr": ""}));
    }
    for option in ["-v", "--help"] {
        let outcome = call(&tools, "box:say", json!({ "a": option })).await;
        let ToolOutcome::Failed { failure } = &outcome else { panic!("{outcome:?}") };
        assert!(failure.detail.contains("nothing was started: `args.a`"), "{failure:?}");
        assert_eq!(happened(outcome), (Happened::No, FailureKind::Permanent));
    }
    assert_eq!(happened(call(&tools, "box:say", json!({"a": "nul\0"})).await).0, Happened::No);
}

#[tokio::test]
async fn a_value_leads_to_no_other_folder() {
    let argv = json!(["printf", "%s", "/srv/{{ args.a }}/x"]);
    let tools = tools(&server(&json!({"say": {"about": "Says it.", "args": {"a": "string"}, "argv": argv}})));
    assert_eq!(content(call(&tools, "box:say", json!({"a": "a/b..c"})).await)["stdout"], "/srv/a/b..c/x");
    for value in ["..", "../etc", "a/../../etc", "a/.."] {
        let outcome = call(&tools, "box:say", json!({ "a": value })).await;
        assert_eq!(happened(outcome), (Happened::No, FailureKind::Permanent), "{value}");
    }
}

#[tokio::test]
async fn what_has_no_value_is_left_out_with_its_group() {
    let words = json!(["printf", "[%s]", ["-n", "{{ args.a }}"], "--to={{ args.b }}", "end"]);
    let args = json!({"a": "optional string", "b": "optional integer"});
    let tools = tools(&server(&json!({"say": {"about": "Says it.", "args": args, "argv": words}})));
    for (given, expect) in
        [(json!({}), "[end]"), (json!({"a": "x"}), "[-n][x][end]"), (json!({"b": 3}), "[--to=3][end]")]
    {
        assert_eq!(content(call(&tools, "box:say", given).await)["stdout"], expect);
    }
}

#[tokio::test]
async fn the_environment_holds_what_is_named_and_no_result_holds_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let mut written = server(&json!({"env": {"about": "Shows it.", "argv": ["env"], "effect": "idempotent",
        "key": {"env": "REQUEST_KEY"}}, "pwd": {"about": "Where.", "argv": ["pwd"], "effect": "read"}}));
    written["box"]["env"] = json!({"A": "b c", "KEY": {"credential": "key"}});
    written["box"]["cwd"] = json!(folder.path());
    let tools = tools(&written);
    let shown = content(call(&tools, "box:env", json!({})).await)["stdout"].as_str().unwrap().to_owned();
    let mut names: Vec<&str> = shown.lines().map(|line| line.split('=').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["A", "KEY", "PATH", "PROVOST_CHILD", "REQUEST_KEY"]);
    assert!(shown.contains("A=b c\n") && shown.contains("KEY=[redacted]\n") && !shown.contains(SECRET), "{shown}");
    assert!(shown.contains("REQUEST_KEY=the-key\n"), "{shown}");
    let here = content(call(&tools, "box:pwd", json!({})).await);
    assert_eq!(here["stdout"].as_str().unwrap().trim(), folder.path().to_str().unwrap());
    let shown = format!("{tools:?} {:?}", section(&written).unwrap());
    assert!(!shown.contains(SECRET), "{shown}");
}

#[tokio::test]
async fn an_exit_code_says_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let ends = script(folder.path(), "ends", "echo so it is >&2; [ \"$1\" = kill ] && kill -9 $$; exit \"$1\"");
    let entry = |effect: &str| {
        json!({"about": "Ends.", "args": {"how": "string"}, "argv": [ends, "{{ args.how }}"], "effect": effect,
            "ok": "exit in [0, 7]", "refused": "exit == 64"})
    };
    let tools = tools(&server(&json!({"act": entry("unsafe"), "look": entry("read")})));
    for (how, act) in
        [("1", Happened::Answered), ("255", Happened::Answered), ("64", Happened::No), ("kill", Happened::Maybe)]
    {
        for (tool, expect) in [("box:act", act), ("box:look", Happened::No)] {
            let outcome = call(&tools, tool, json!({ "how": how })).await;
            let ToolOutcome::Failed { failure: ToolFailure { detail, exit, signal, .. } } = &outcome else {
                panic!("{outcome:?}")
            };
            assert!(detail.ends_with(": so it is"), "{detail}");
            let signalled = (how == "kill").then_some(9);
            assert_eq!((*exit, *signal), (how.parse().ok(), signalled), "{how}");
            assert_eq!(happened(outcome), (expect, FailureKind::Permanent), "{tool} {how}");
        }
    }
    for how in ["0", "7"] {
        let found = content(call(&tools, "box:act", json!({ "how": how })).await);
        assert_eq!(found, json!({"exit": how.parse::<i32>().unwrap(), "stdout": "", "stderr": "so it is\n"}));
    }
}

#[tokio::test]
async fn a_long_output_is_cut_and_a_program_never_waits_for_a_reader() {
    let entry =
        |count: &str| json!({"about": "Counts.", "argv": ["seq", "1", count], "effect": "read", "output": "8KiB"});
    let tools =
        tools(&server(&json!({"long": entry("4000"), "endless": entry("2000000"), "none": {"about": "Nothing.",
        "argv": ["true"], "effect": "read"}})));
    for (tool, total) in [("box:long", 18_893), ("box:endless", 14_888_896)] {
        let ToolOutcome::Truncated { content, total_bytes } = call(&tools, tool, json!({})).await else {
            panic!("not truncated")
        };
        let kept = content["stdout"].as_str().unwrap();
        assert!(kept.starts_with("1\n2\n") && kept.len() > 4000, "{}", kept.len());
        assert!(content.to_string().len() <= 8192 && total_bytes == total, "{total_bytes}");
    }
    assert!(matches!(call(&tools, "box:none", json!({})).await, ToolOutcome::Empty { .. }));
}

#[tokio::test]
async fn input_is_a_whole_value_or_json() {
    let entry = |stdin: Value| json!({"about": "Repeats.", "args": {"a": "string", "b": "optional integer"}, "argv": ["cat"], "stdin": stdin});
    let tools = tools(&server(&json!({
        "whole": entry(json!("{{ args.a }}")), "json": entry(json!({"text": "is {{ args.a }}", "n": "{{ args.b }}"})),
        "fixed": entry(json!("as it is")),
        "read": {"about": "Reads.", "args": {"a": "string"}, "argv": ["cat"], "stdin": {"items": ["{{ args.a }}"]},
            "result": {"first": "json.items[0]", "code": "exit"}},
    })));
    let said = async |tool: &str| {
        let found = call(&tools, &format!("box:{tool}"), json!({"a": "x\": 1\n---\n"})).await;
        content(found)["stdout"].as_str().unwrap().to_owned()
    };
    assert_eq!(said("whole").await, "x\": 1\n---\n");
    assert_eq!(said("json").await, json!({"text": "is x\": 1\n---\n"}).to_string());
    assert_eq!(said("fixed").await, "as it is");
    assert_eq!(content(call(&tools, "box:read", json!({"a": "q"})).await), json!({"first": "q", "code": 0}));
}

/// Waits until something holds; a test that waits in vain is ended by its runner.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// The ids that a script wrote, once it wrote all of them.
async fn ids(path: &Path, count: usize) -> Vec<String> {
    let read = || fs::read_to_string(path).unwrap_or_default();
    until(|| read().lines().count() == count).await;
    read().lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_nothing_running() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let text = "echo $$ >> \"$1\"; sleep 601 & echo $! >> \"$1\"; setsid sleep 602 & echo $! >> \"$1\"; wait";
    let waits = script(folder.path(), "waits", text);
    let tools = tools(&server(&json!({"wait": {"about": "Waits.", "argv": [waits, pids]}})));
    let (tool, asked) = prepared(&tools, "box:wait", json!({}));
    let found = {
        let running = tool.call(&asked);
        tokio::pin!(running);
        tokio::select! {
            outcome = &mut running => panic!("{outcome:?}"),
            found = ids(&pids, 3) => found,
        }
    };
    until(|| !found.iter().any(|pid| is_running(pid))).await;
}

#[tokio::test]
async fn what_a_program_leaves_behind_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let leaves = script(folder.path(), "leaves", "sleep 601 & echo $! >> \"$1\"; setsid sleep 602 & echo $! >> \"$1\"");
    let tools = tools(&server(&json!({"leave": {"about": "Leaves.", "argv": [leaves, pids]}})));
    let outcome = tokio::time::timeout(Duration::from_mins(1), call(&tools, "box:leave", json!({}))).await.unwrap();
    assert_eq!(content(outcome)["exit"], 0);
    for pid in ids(&pids, 2).await {
        until(|| !is_running(&pid)).await;
    }
}

#[test]
fn what_is_declared_is_what_is_written() {
    let entry =
        json!({"about": "Restarts.", "argv": ["true"], "target": "-/{{ args.unit }}", "args": {"unit": "web | db"}});
    let look = json!({"about": "Looks.", "argv": ["true"], "effect": "read", "risk": "low", "timeout": "5s"});
    let written = server(&json!({"act": entry, "look": look}));
    let tools = tools(&written);
    let built = built(&tools).unwrap();
    let spec = built[0].spec();
    assert_eq!((spec.name.as_str(), spec.effect, spec.risk), ("box:act", EffectClass::Unsafe, Risk::High));
    assert_eq!(spec.claims(None, &json!({"unit": "web"}), &json!({})).unwrap().as_str(), "-/web");
    assert_eq!(spec.output.as_ref().unwrap()["required"], json!(["exit", "stderr", "stdout"]));
    let spec = built[1].spec();
    assert_eq!((spec.effect, spec.risk, spec.timeout.as_secs()), (EffectClass::Read, Risk::Low, 5));
    assert_eq!(tools.notices(), ["`box`: its commands run without a sandbox: a test"]);
}

#[test]
fn what_is_not_on_this_machine_is_refused_once_it_is_to_be_called() {
    let mut written = server(&json!({"x": {"about": "Nothing.", "argv": ["no-such-program"]}}));
    let error = |written: &Value| built(&tools(written)).unwrap_err().to_string();
    assert_eq!(
        error(&written),
        "`tools.box`: the program `no-such-program` is not on this machine, as far as PATH says"
    );
    assert_eq!(built(&section(&written).unwrap().open_without_secrets().unwrap()).unwrap().len(), 1);
    written["box"]["cwd"] = json!("/no/such/folder");
    assert_eq!(error(&written), "`tools.box`: `cwd`: /no/such/folder is not a folder");
}
