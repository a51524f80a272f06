//! `provost packs diff`: what two packs, or two versions of one, mean differently. Comments and spelling do not count.

use std::collections::BTreeSet;
use std::process::ExitCode;

use anyhow::Result;
use provost_face::VisibleText;
use serde_json::json;

use super::folders::PackFolders;
use super::meaning::parts;
use crate::args::{PackArgs, PackDiffArgs};
use crate::output::{BAD, GOOD, NOTE, Output};

/// Longest value that is printed for people, in characters.
const VALUE_MAX: usize = 200;

pub(super) fn run(args: &PackDiffArgs, output: Output) -> Result<ExitCode> {
    let both = PackArgs { packs: vec![args.before.clone(), args.after.clone()], config: args.config.clone() };
    let folders = PackFolders::of(&both)?;
    let (before, after) = (folders.suite(&args.before, output)?, folders.suite(&args.after, output)?);
    let (old, new) = (parts(before.pack(), &before.catalog), parts(after.pack(), &after.catalog));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changes: Vec<_> = names.into_iter().filter(|name| old.get(*name) != new.get(*name)).collect();
    for name in &changes {
        let short = |value: &String| VisibleText::new(value).line(VALUE_MAX);
        output.line(&match (old.get(*name), new.get(*name)) {
            (Some(old), Some(new)) => format!("{NOTE}~{NOTE:#} {name}: {} → {}", short(old), short(new)),
            (Some(old), None) => format!("{BAD}-{BAD:#} {name}: {}", short(old)),
            (None, Some(new)) => format!("{GOOD}+{GOOD:#} {name}: {}", short(new)),
            (None, None) => continue,
        });
    }
    if changes.is_empty() {
        output.line("both mean the same");
    }
    let change = |name: &&String| json!({"what": name, "before": old.get(*name), "after": new.get(*name)});
    output.json(&json!(changes.iter().map(change).collect::<Vec<_>>()));
    Ok(ExitCode::SUCCESS)
}
