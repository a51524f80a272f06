//! What the compiler cannot keep: layers, sizes, names, and that the runtime knows no case's domain.

use std::fs;
use std::path::{Path, PathBuf};

/// Who may use whom, by package; `cli`, tests and tools may use anything.
const LAYERS: [(&str, &str, &[&str]); 9] = [
    ("provost-domain", "runtime/domain", &[]),
    ("provost-http", "runtime/http", &[]),
    ("provost-store", "runtime/store", &["provost-domain"]),
    ("provost-model", "runtime/model", &["provost-domain", "provost-http"]),
    ("provost-tools", "runtime/tools", &["provost-domain", "provost-http"]),
    ("provost-packs", "runtime/packs", &["provost-domain"]),
    ("provost-engine", "runtime/engine", &["provost-domain"]),
    ("provost-agents", "agents", &["provost-domain", "provost-engine"]),
    ("provost-server", "runtime/server", &["provost-domain", "provost-engine"]),
];

/// What the engine must not name.
const NOT_IN_ENGINE: [&str; 3] = ["sqlx", "reqwest", "axum"];

/// Words of cases, which belong to packs, roles, tools and faces.
const DOMAIN_WORDS: [&str; 7] =
    ["incident", "severity", "pull request", "pull_request", "alertmanager", "oncall", "on-call"];

/// Files that may name what others may not: the configuration names its parts as their makers do.
const NAMES_PRODUCTS: [&str; 1] = ["packs/src/config.rs"];

/// Marks of work that is not done.
const UNFINISHED: [&str; 4] = ["todo!(", "unimplemented!(", "#[ignore", "#[allow("];

/// Longest source file, in lines.
const LINES_MAX: usize = 500;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if path.is_dir() && !hidden && entry.file_name() != "target" {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Workspace packages a manifest's `[dependencies]` names that its layer may not use.
fn layer_breaks(manifest: &str, own: &str, allowed: &[&str]) -> Vec<String> {
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let dependencies = dependencies.split("\n[").next().unwrap_or_default();
    let names = dependencies.lines().filter_map(|line| line.split(['.', ' ', '=']).next());
    names
        .filter(|name| name.starts_with("provost-") && !allowed.contains(name))
        .map(|name| format!("{own} may not depend on {name}"))
        .collect()
}

/// Lines that hold one of the words, as `line: word`.
fn words_in(text: &str, words: &[&str]) -> Vec<String> {
    let lower = text.to_lowercase();
    let hits = lower.lines().zip(1..).flat_map(|(line, number)| {
        words.iter().filter(move |word| line.contains(**word)).map(move |word| format!("{number}: `{word}`"))
    });
    hits.collect()
}

fn is_test(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.ends_with("tests.rs") || text.contains("/tests/")
}

/// A source without its inline test module.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

#[track_caller]
fn none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn layers_import_downwards_only() {
    let mut problems = Vec::new();
    for (package, folder, allowed) in LAYERS {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        problems.extend(layer_breaks(&manifest, package, allowed));
        if package == "provost-engine" {
            let named = NOT_IN_ENGINE.iter().filter(|name| manifest.contains(**name));
            problems.extend(named.map(|name| format!("{package} names {name}")));
        }
    }
    none(&problems);
    assert_eq!(layer_breaks("[dependencies]\nprovost-store.workspace = true\n", "x", &[]).len(), 1);
}

/// The lines of a manifest that give the feature `controls` to anyone: a feature of that name may pass it on.
fn gives_controls(manifest: &str) -> Vec<String> {
    let passes_on = |line: &str| line.starts_with("controls = [");
    let code = manifest.lines().filter(|line| !line.starts_with('#') && !passes_on(line));
    code.filter(|line| line.contains("controls")).map(str::to_owned).collect()
}

#[test]
fn nothing_shipped_can_do_without_a_guard() {
    let mut problems = Vec::new();
    let shipped = LAYERS.map(|(_, folder, _)| folder).into_iter().chain(["runtime/cli", "."]);
    for folder in shipped {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        problems.extend(gives_controls(&manifest).into_iter().map(|line| format!("{folder}: {line}")));
    }
    none(&problems);
    for given in ["default = [\"controls\"]", "provost-store = { workspace = true, features = [\"controls\"] }"] {
        assert_eq!(gives_controls(given), [given]);
    }
    assert_eq!(gives_controls("controls = [\"provost-store/controls\"]"), Vec::<String>::new());
}

#[test]
fn files_stay_short_and_finished() {
    let mut problems = Vec::new();
    for path in files(&root(), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().count();
        if lines > LINES_MAX {
            problems.push(format!("{}: {lines} lines, over {LINES_MAX}", path.display()));
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if ["util", "utils", "helper", "helpers", "manager", "misc", "common"].contains(&name.as_str()) {
            problems.push(format!("{}: a file is named by its noun", path.display()));
        }
        // This file holds the marks it looks for.
        if path.ends_with("it/tidy.rs") {
            continue;
        }
        let hits = words_in(&text, &UNFINISHED);
        problems.extend(hits.into_iter().map(|hit| format!("{}:{hit}", path.display())));
    }
    none(&problems);
}

#[test]
fn the_runtime_knows_no_cases_domain() {
    let mut problems = Vec::new();
    for folder in ["domain", "store", "model", "packs", "engine"] {
        for path in files(&root().join("runtime").join(folder).join("src"), "rs") {
            if is_test(&path) || NAMES_PRODUCTS.iter().any(|file| path.ends_with(file)) {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let hits = words_in(without_tests(&text), &DOMAIN_WORDS);
            problems.extend(hits.into_iter().map(|hit| format!("{}:{hit}", path.display())));
        }
    }
    none(&problems);
    assert_eq!(words_in("a\nan Incident\n", &DOMAIN_WORDS), ["2: `incident`"]);
}
