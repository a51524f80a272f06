//! What a pack's folder may hold.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

use crate::support::{check, copied, told};

#[track_caller]
fn says(folder: &Path, file: &str, part: &str) {
    let errors = check(folder).unwrap_err();
    let told = told(folder, &errors);
    let mut own = told.get(file).into_iter().flatten();
    assert!(own.any(|message| message.contains(part)), "does not say `{part}` of {file}: {told:?}");
}

#[test]
fn a_missing_pack_says_so() {
    let errors = check(Path::new("nowhere")).unwrap_err().to_string();
    assert!(errors.contains("nowhere/: cannot be listed"), "{errors}");
    assert!(errors.contains("nowhere/pack.yaml: the file is missing"), "{errors}");
}

#[test]
fn files_that_are_no_text_or_too_large_are_refused() {
    let folder = copied();
    fs::write(folder.path().join("agents/triage/SKILL.md"), [0xff, 0xfe]).unwrap();
    fs::write(folder.path().join("shared/finish.md"), vec![b'x'; 1024 * 1024 + 1]).unwrap();
    says(folder.path(), "agents/triage/SKILL.md", "is not UTF-8");
    says(folder.path(), "shared/finish.md", "is over the limit of 1048576 bytes");
    // What cannot be read is not said to be missing too.
    assert_eq!(check(folder.path()).unwrap_err().0.len(), 2);
    let folder = copied();
    fs::write(folder.path().join("agents/triage/agent.yaml"), vec![b'#'; 1024 * 1024]).unwrap();
    says(folder.path(), "agents/triage/agent.yaml", "expected a table, found nothing");
}

#[test]
fn more_than_the_limit_is_an_error_and_never_cut() {
    let folder = copied();
    for number in 0..65 {
        fs::write(folder.path().join(format!("shared/more{number}.md")), "x").unwrap();
        let agent = folder.path().join(format!("agents/more{number}"));
        fs::create_dir(&agent).unwrap();
        fs::write(agent.join("agent.yaml"), "role: watcher\n").unwrap();
    }
    says(folder.path(), "shared", "holds 68 entries, over the limit of 64");
    says(folder.path(), "agents", "holds 69 entries, over the limit of 64");
    let folder = copied();
    for number in 0..600 {
        fs::write(folder.path().join(format!("zz{number:03}")), "x").unwrap();
    }
    let errors = check(folder.path()).unwrap_err().to_string();
    assert!(errors.contains("over the limit of 512 files"), "{errors}");
    let folder = copied();
    fs::create_dir_all(folder.path().join("1/2/3/4/5/6/7/8/9/10")).unwrap();
    says(folder.path(), "1/2/3/4/5/6/7/8/9/10", "8 folders inside each other");
}

#[test]
fn strays_are_refused() {
    let folder = copied();
    fs::write(folder.path().join("agents/extra.yaml"), "role: triage\n").unwrap();
    fs::create_dir(folder.path().join("agents/empty")).unwrap();
    fs::create_dir(folder.path().join("agents/Not Plain")).unwrap();
    says(folder.path(), "agents/extra.yaml", "an agent is a folder");
    says(folder.path(), "agents/empty/agent.yaml", "the file is missing");
    says(folder.path(), "agents/Not Plain", "no usable name for an agent");
}

#[cfg(unix)]
#[test]
fn links_lead_nowhere_outside() {
    use std::os::unix::fs::symlink;

    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("finish.md"), "x").unwrap();
    let folder = copied();
    fs::remove_file(folder.path().join("shared/finish.md")).unwrap();
    symlink(outside.path().join("finish.md"), folder.path().join("shared/finish.md")).unwrap();
    symlink(outside.path(), folder.path().join("outside")).unwrap();
    symlink(folder.path(), folder.path().join("agents/loop")).unwrap();
    symlink("nowhere", folder.path().join("broken")).unwrap();
    says(folder.path(), "shared/finish.md", "leads out of the pack");
    says(folder.path(), "outside", "leads out of the pack");
    says(folder.path(), "agents/loop", "is a link to a folder");
    says(folder.path(), "broken", "cannot be read");

    let folder = copied();
    fs::rename(folder.path().join("shared/finish.md"), folder.path().join("finish")).unwrap();
    symlink("../finish", folder.path().join("shared/finish.md")).unwrap();
    assert!(check(folder.path()).is_ok());
}

/// What arbitrary bytes are put in place of.
const FILES: [&str; 4] = ["pack.yaml", "agents/triage/agent.yaml", "agents/triage/SKILL.md", "shared/finish.md"];

/// YAML that looks like something, so that more than its parser is reached.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        "pack: ",
        "fields: ",
        "rosters: ",
        "gates: ",
        "inject: ",
        "agents: ",
        "routes: ",
        "watch: ",
        "tools: ",
        "terminal_tools: ",
        "when: ",
        "dispatch: ",
        "\n",
        "\n  ",
        "  ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        ": ",
        "&a ",
        "*a",
        "<<: ",
        "---\n",
        "|\n",
        "\"",
        "'",
        "x",
        "1",
        "1e999",
        "-0",
        ".nan",
        "99999999999999999999999",
        "null",
        "true",
        "!t ",
        "? ",
        "${",
        "x-roster: ",
        "\u{feff}",
        "é",
        "type: object",
        "properties: ",
        "default",
        "`metrics:scrape(",
        "`",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn arbitrary_bytes_never_panic(
        file in prop::sample::select(FILES.to_vec()),
        bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..200), fragments()],
    ) {
        let folder = copied();
        fs::write(folder.path().join(file), &bytes).unwrap();
        if let Err(errors) = check(folder.path()) {
            prop_assert!(!errors.0.is_empty());
        }
    }

    #[test]
    fn a_pack_cut_or_flipped_anywhere_never_panics(
        file in prop::sample::select(FILES.to_vec()), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut: bool,
    ) {
        let folder = copied();
        let path = folder.path().join(file);
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        fs::write(&path, &bytes).unwrap();
        if let Err(errors) = check(folder.path()) {
            prop_assert!(!errors.0.is_empty());
        }
    }
}
