//! The files of the tutorial are a pack that passes, with the one gap that the tutorial speaks of.

use std::fs;
use std::path::Path;

use crate::support::{failed, played, shipped};

/// Writes the files of a page, each of which stands in a block after a line with its path: `` `certificate/PATH`: ``.
fn write(page: &str, folder: &Path) -> usize {
    let (mut path, mut text, mut inside, mut files) = (None, String::new(), false, 0);
    for line in page.lines() {
        if inside && line == "```" {
            let target = folder.join(path.take().unwrap_or("nothing"));
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, std::mem::take(&mut text)).unwrap();
            (inside, files) = (false, files + 1);
        } else if inside {
            text.push_str(line);
            text.push('\n');
        } else if let Some(own) = line.strip_prefix("`certificate/").and_then(|rest| rest.strip_suffix("`:")) {
            path = Some(own);
        } else {
            inside = path.is_some() && line.starts_with("```");
        }
    }
    files
}

#[test]
fn the_files_of_the_tutorial_pass() {
    let folder = tempfile::tempdir().unwrap();
    let page = fs::read_to_string(shipped("docs/src/tutorial.md")).unwrap();
    assert_eq!(write(&page, folder.path()), 11);
    let result = played(folder.path());
    assert_eq!(failed(&result), [] as [String; 0]);
    assert_eq!(result.playbacks.len(), 2);
    let missing: Vec<String> = result.missing.iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["route 2 of `renew`: default to end"]);
    assert!(page.contains(&format!("  {}", missing[0])), "the page prints what is not reached");
}
