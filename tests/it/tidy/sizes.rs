//! Files stay short, named and finished. That functions stay short is clippy's.

use std::fs;

use super::none;
use super::packages::root;
use super::source::files;

/// Marks of work that is not done.
const UNFINISHED: [&str; 4] = ["todo!(", "unimplemented!(", "#[ignore", "#[allow("];

/// Names that say nothing of what a file holds.
const EMPTY_NAMES: [&str; 7] = ["util", "utils", "helper", "helpers", "manager", "misc", "common"];

/// Longest source file, in lines.
const LINES_MAX: usize = 500;

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
        if EMPTY_NAMES.contains(&name.as_str()) {
            problems.push(format!("{}: a file is named by its noun", path.display()));
        }
        // This file holds the marks it looks for.
        if path.ends_with("it/tidy/sizes.rs") {
            continue;
        }
        for (line, number) in text.to_lowercase().lines().zip(1..) {
            let marks = UNFINISHED.iter().filter(|mark| line.contains(**mark));
            problems.extend(marks.map(|mark| format!("{}:{number}: `{mark}`", path.display())));
        }
    }
    none(&problems);
}
