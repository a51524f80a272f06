//! Watches over several measures, as a pack writes them.

use std::time::Duration;

use provost_domain::pack::{Baseline, WatchPlan};

use crate::support::{change, check, copied, with, wrong};

const WATCHER: &str = "agents/watcher/agent.yaml";
const RECOVERED: &str = "errors.now < 0.02 && p99.now <= 1.5 * p99.baseline";

fn watch(errors: &str, p99: &str, rest: &str) -> String {
    format!("watch:\n  every: 15s\n  settle: 30s\n  measure:\n    errors: {errors}\n    p99: {p99}\n{rest}\nroutes:")
}

fn query(more: &str) -> String {
    let text = r#"'sum(rate(errors{service="{{ fields.service }}"}[2m]))'"#;
    format!("{{tool: \"prom:query\", args: {{query: {text}}}, {more}}}")
}

fn rest(recovered: &str) -> String {
    format!("  within: 10m\n  recovered: '{recovered}'\n  worse: 'errors.now > 2 * errors.before'\n  consecutive: 3")
}

/// The shipped pack whose watcher measures so.
fn written(text: &str) -> tempfile::TempDir {
    let folder = copied();
    let path = folder.path().join(WATCHER);
    let before = std::fs::read_to_string(&path).unwrap();
    let (first, rest) = before.split_once("watch:").unwrap();
    let after = format!("{first}{text}{}", rest.split_once("routes:").unwrap().1);
    std::fs::write(path, after.replacen("deadline: 20s\n", "", 1)).unwrap();
    folder
}

fn told(text: &str) -> Vec<String> {
    let folder = written(text);
    let errors = check(folder.path()).map_or_else(|errors| errors.0, |_| Vec::new());
    errors.into_iter().map(|error| format!("{}; {}", error.message, error.hint)).collect()
}

fn whole() -> String {
    let p99 = query("value: result.value, baseline: {ago: 1h, absent: ignore}");
    watch(&query("value: result.value"), &p99, &rest(RECOVERED))
}

#[test]
fn a_watch_takes_several_measures() {
    let pack = check(written(&whole()).path()).unwrap();
    let watcher = &pack.agents["watcher"];
    let Some(WatchPlan::Several(several)) = &watcher.watch else { panic!("{:?}", watcher.watch) };
    assert_eq!((watcher.deadline, several.settle), (Duration::from_mins(10), Duration::from_secs(30)));
    assert_eq!((several.every, several.consecutive), (Duration::from_secs(15), 3));
    assert!(several.measures["errors"].before && !several.measures["p99"].before);
    let baseline = Baseline { ago: Duration::from_hours(1), ignore_absent: true };
    assert_eq!((several.measures["p99"].baseline, several.measures["errors"].baseline), (Some(baseline), None));
    // A value from the case is escaped where it lands.
    let fields = serde_json::json!({"fields": {"service": "a\"} or vector(0)"}});
    let args = several.measures["errors"].args.fill_known(&fields).unwrap();
    assert_eq!(args["query"], r#"sum(rate(errors{service="a\"} or vector(0)"}[2m]))"#);
}

/// What loads today keeps its meaning.
#[test]
fn a_watch_of_one_tool_stays() {
    let pack = with(WATCHER, "role: watcher", "role: watcher");
    let Some(WatchPlan::Single(single)) = &pack.agents["watcher"].watch else { panic!() };
    assert_eq!((single.tool.as_str(), single.consecutive, single.until.len()), ("metrics:scrape", 3, 1));
    wrong(WATCHER, "role: watcher\ndeadline: 20s", "¦role: watcher", "`deadline` is missing");
}

#[test]
fn mistakes_in_measures() {
    let value = "value: result.value";
    for (errors, p99, rest, part) in [
        (query("value: result.vale"), query(value), rest("errors.now < 1"), "did you mean `value`?"),
        (
            query("value: result.unit"),
            query(value),
            rest("errors.now < 1"),
            "a measure is a number, and this is a text",
        ),
        (query(value), query(value), rest("eror.now < 1"), "`eror` is not known here"),
        (query(value), query(value), rest("p99.baseline < 1"), "`baseline`"),
        (query(value), query(value), rest("p99.now"), "a condition is needed"),
        (
            query(value),
            "{tool: \"service:restart\", value: result.x}".to_owned(),
            rest("p99.now < 1"),
            "is not a tool that only reads",
        ),
        (
            query(value),
            "{tool: \"metrics:scrape\", value: result.x}".to_owned(),
            rest("p99.now < p99.before"),
            "`metrics:scrape` has no `time`",
        ),
        (
            query(value),
            "{tool: \"metrics:scrape\", value: result.x, baseline: {ago: 1h}}".to_owned(),
            rest("p99.now < 1"),
            "a baseline is read in the past",
        ),
        (
            query(value),
            "{tool: \"prom:query\", args: {query: up, tme: x}, value: result.value}".to_owned(),
            rest("p99.now < 1"),
            "has no argument `tme`",
        ),
        (
            query(value),
            "{tool: \"prom:query\", args: {query: up, time: x}, value: result.value}".to_owned(),
            rest("p99.now < 1"),
            "the runtime supplies `time`",
        ),
        (
            query(value),
            "{tool: \"prom:query\", args: {query: 7}, value: result.value}".to_owned(),
            rest("p99.now < 1"),
            "would refuse this",
        ),
        (
            query(value),
            "{tool: \"prom:query\", args: {query: '{{ fields.servce }}'}, value: result.value}".to_owned(),
            rest("p99.now < 1"),
            "did you mean `service`?",
        ),
        (query(value), query(value), rest("p99.now < 1").replace("10m", "20s"), "over before it begins"),
    ] {
        let found = told(&watch(&errors, &p99, &rest));
        assert!(found.iter().any(|error| error.contains(part)), "{part}: {found:?}");
    }
    let folder = written(&whole());
    change(folder.path(), WATCHER, "role: watcher", "role: watcher\ndeadline: 20s");
    let errors = check(folder.path()).unwrap_err().to_string();
    assert!(errors.contains("both say how long it measures"), "{errors}");
}

#[test]
fn requirements_read_what_a_watch_reports() {
    for (that, fits) in [
        ("reports.watcher.verdict == \"recovered\"", true),
        ("reports.watcher.measurements.p99.now < 1.0", true),
        ("reports.watcher.measurements.p98.now < 1.0", false),
        ("reports.watcher.verdict == \"better\"", false),
    ] {
        let folder = written(&whole());
        let requires = format!("requires: [{{that: '{that}', else: measure first}}]");
        change(folder.path(), "pack.yaml", "requires: {watcher: recovered}", &requires);
        assert_eq!(check(folder.path()).is_ok(), fits, "{that}");
    }
}
