//! Mutation testing of the rules: each rule is changed in small ways, and some test of the domain must fail.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use crate::cargo::{cargo, require, succeeds};

/// The rules, as globs below the workspace.
const RULES: [&str; 9] = [
    "runtime/domain/src/condition.rs",
    "runtime/domain/src/decide/*.rs",
    "runtime/domain/src/gate.rs",
    "runtime/domain/src/inject.rs",
    "runtime/domain/src/retry.rs",
    "runtime/domain/src/roster.rs",
    "runtime/domain/src/route.rs",
    "runtime/domain/src/claims.rs",
    "runtime/domain/src/terminal/*.rs",
];
/// Changes that no test needs to notice: `FILE: CHANGE`, a tab, and why.
const SURVIVORS: &str = include_str!("../mutants.txt");
/// How long the tests may take with a change: some go round in circles.
const LIMIT_SECONDS: &str = "120";

/// Tries one part of the changes: `2/8` is the third of eight.
pub(crate) fn mutants(shard: &str, files: &[String]) -> Result<()> {
    require("mutants", "cargo-mutants")?;
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).canonicalize()?;
    let output = root.join("target/mutants");
    std::fs::create_dir_all(&output)?;
    let mut command = cargo(&["mutants", "--package", "provost-domain", "--no-shuffle", "--timeout", LIMIT_SECONDS]);
    command.args(["--shard", shard, "--output"]).arg(&output).current_dir(&root);
    let rules = RULES.map(str::to_owned);
    for file in if files.is_empty() { &rules } else { files } {
        command.args(["--file", file]);
    }
    // The library's own tests and those of the rules; what cannot compile is tested elsewhere.
    command.args(["--", "--lib", "--test", "rules", "--test", "authority"]);
    // It fails where something survives; which of them may is said here.
    let all_noticed = succeeds(&mut command)?;
    if all_noticed {
        println!("every change was noticed");
    }
    judged(&output.join("mutants.out"))
}

fn judged(folder: &Path) -> Result<()> {
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("reading {}: did the run end?", path.display()))
    };
    let known: BTreeSet<&str> = SURVIVORS.lines().filter_map(|line| line.split_once('\t')).map(|(it, _)| it).collect();
    let missed = read("missed.txt")?;
    let found: BTreeSet<String> = missed.lines().map(without_place).collect();
    let new: Vec<&String> = found.iter().filter(|change| !known.contains(change.as_str())).collect();
    let caught = read("caught.txt")?.lines().count() + read("timeout.txt")?.lines().count();
    println!("{caught} changes were noticed, {} were not, {} of them unexplained", found.len(), new.len());
    ensure!(caught > 0, "no change was noticed: the tests did not run");
    if !new.is_empty() {
        for change in &new {
            println!("unexplained: {change}");
        }
        bail!("write a test that fails with each, or add it to tests/xtask/mutants.txt with the reason");
    }
    Ok(())
}

/// `file.rs:12:3: replace a with b` without the place, which moves with every edit.
fn without_place(line: &str) -> String {
    let mut parts = line.splitn(4, ':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(file), Some(_line), Some(_column), Some(change)) => format!("{file}:{change}"),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_known_wherever_it_stands() {
        let line = "runtime/domain/src/gate.rs:12:3: replace < with == in Gate::of";
        assert_eq!(without_place(line), "runtime/domain/src/gate.rs: replace < with == in Gate::of");
        assert_eq!(without_place("odd"), "odd");
    }

    #[test]
    fn every_survivor_has_a_reason() {
        for line in SURVIVORS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            assert!(line.split_once('\t').is_some_and(|(_, why)| why.len() > 10), "{line}");
        }
    }
}
