//! Who may depend on whom.

use std::fs;

use super::none;
use super::packages::{PACKAGES, root};

/// What the engine must not name: it speaks ports.
const NOT_IN_ENGINE: [&str; 3] = ["sqlx", "reqwest", "axum"];

/// Workspace packages that a manifest's dependencies name and its layer may not use.
fn layer_breaks(manifest: &str, own: &str, allowed: &[&str]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut section = "";
    for line in manifest.lines() {
        if let Some(head) = line.strip_prefix('[') {
            section = head.trim_end_matches(']');
        }
        let ships = section.split('.').any(|part| part == "dependencies" || part == "build-dependencies");
        let name = match line.strip_prefix('[') {
            Some(_) => section.rsplit('.').next().unwrap_or_default(),
            None => line.split(['.', ' ', '=']).next().unwrap_or_default(),
        };
        if ships && name.starts_with("provost-") && !allowed.contains(&name) {
            problems.push(format!("{own} may not depend on {name}"));
        }
    }
    problems
}

#[test]
fn layers_import_downwards_only() {
    let mut problems = Vec::new();
    for package in PACKAGES {
        let manifest = root().join(package.folder).join("Cargo.toml");
        let (Some(may_use), true) = (package.may_use, manifest.exists()) else {
            continue;
        };
        let manifest = fs::read_to_string(manifest).unwrap();
        problems.extend(layer_breaks(&manifest, package.name, may_use));
        if package.name == "provost-engine" {
            let named = NOT_IN_ENGINE.iter().filter(|name| manifest.contains(**name));
            problems.extend(named.map(|name| format!("{} names {name}", package.name)));
        }
    }
    none(&problems);
}

#[test]
fn a_dependency_is_found_however_it_is_written() {
    let found = ["provost-domain may not depend on provost-store"];
    for manifest in [
        "[dependencies]\nprovost-store.workspace = true\n",
        "[build-dependencies]\nprovost-store = { workspace = true }\n",
        "[dependencies.provost-store]\nworkspace = true\n",
        "[target.'cfg(unix)'.dependencies]\nprovost-store.workspace = true\n",
    ] {
        assert_eq!(layer_breaks(manifest, "provost-domain", &["provost-http"]), found, "{manifest}");
    }
    let tests = "[dependencies]\nprovost-http.workspace = true\n\n[dev-dependencies]\nprovost-store.workspace = true\n";
    assert_eq!(layer_breaks(tests, "provost-domain", &["provost-http"]), Vec::<String>::new());
}

#[test]
fn every_crate_that_ships_has_a_row() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = manifest.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix("\","));
    let ships = |folder: &&str| folder.starts_with("runtime/") || *folder == "agents";
    let members: Vec<&str> = members.filter(ships).collect();
    assert!(members.len() > 5, "{members:?}");
    let missing = members.iter().filter(|folder| PACKAGES.iter().all(|package| package.folder != **folder));
    none(&missing.map(|folder| format!("{folder} has no row in PACKAGES")).collect::<Vec<_>>());
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
    for folder in PACKAGES.iter().map(|package| package.folder).chain(["."]) {
        let manifest = root().join(folder).join("Cargo.toml");
        if manifest.exists() {
            let given = gives_controls(&fs::read_to_string(manifest).unwrap());
            problems.extend(given.into_iter().map(|line| format!("{folder}: {line}")));
        }
    }
    none(&problems);
    for given in ["default = [\"controls\"]", "provost-store = { workspace = true, features = [\"controls\"] }"] {
        assert_eq!(gives_controls(given), [given]);
    }
    assert_eq!(gives_controls("controls = [\"provost-store/controls\"]"), Vec::<String>::new());
}
