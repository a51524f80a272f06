//! Rosters in files of the pack.

use std::fs;
use std::path::Path;

use provost_domain::pack::{Pack, PackFiles};
use provost_form::FormErrors;

use crate::support::{again, change, check, copied, loaded, told};

const TEAMS: &str = "  teams: [payments-oncall, platform-oncall]";

/// The shipped pack with its teams in a file.
fn with_file(text: &str) -> (tempfile::TempDir, Result<Pack, FormErrors>) {
    let folder = copied();
    change(folder.path(), "pack.yaml", TEAMS, "  teams: {file: rosters/teams.yaml}");
    fs::create_dir(folder.path().join("rosters")).unwrap();
    fs::write(folder.path().join("rosters/teams.yaml"), text).unwrap();
    let pack = check(folder.path());
    (folder, pack)
}

#[test]
fn a_roster_may_stand_in_a_file_of_the_pack() {
    let (folder, pack) = with_file("- red\n- blue\n");
    let pack = pack.unwrap();
    assert_eq!(pack.rosters.get("teams"), Some(["red".to_owned(), "blue".to_owned()].as_slice()));
    let (_, other) = with_file("- red\n- green\n");
    assert_ne!(pack.digest, other.unwrap().digest, "the file is part of the digest");
    // What is stored is enough to load it again.
    let files: PackFiles = loaded(folder.path()).unwrap().files;
    drop(folder);
    let stored = again(Path::new("stored"), &files).unwrap();
    assert_eq!((stored.rosters, stored.digest), (pack.rosters, pack.digest));
}

#[test]
fn a_file_with_a_mistake_says_so_where_it_stands() {
    for (text, place) in
        [("- red\n- 7\n", "2:3: expected a text"), ("red: blue\n", "1:1: expected a list"), ("- [red\n", "")]
    {
        let (folder, pack) = with_file(text);
        let errors = pack.unwrap_err();
        let own = told(folder.path(), &errors).remove("rosters/teams.yaml").unwrap_or_default();
        assert!(own.iter().any(|error| error.starts_with(place)), "{text:?}: {errors}");
    }
    let (_folder, pack) = with_file("[]");
    assert!(pack.unwrap_err().to_string().contains("the roster `teams` allows nothing"));
    let long: Vec<String> = (0..1001).map(|n| format!("- t{n}\n")).collect();
    assert!(with_file(&long.concat()).1.unwrap_err().to_string().contains("the roster `teams` has 1001 values"));
}

#[test]
fn a_file_that_is_not_in_the_pack_is_missing() {
    for file in ["teams.yaml", "../teams.yaml", "/etc/hostname"] {
        let folder = copied();
        let place = change(folder.path(), "pack.yaml", TEAMS, &format!("  teams: {{file: ¦{file}}}"));
        let errors = check(folder.path()).unwrap_err();
        let [error] = errors.0.as_slice() else { panic!("{errors}") };
        assert_eq!((error.line, error.column), place, "{errors}");
        assert!(error.message.contains(&format!("no file `{file}` in the pack")), "{errors}");
    }
    let folder = copied();
    change(folder.path(), "pack.yaml", TEAMS, "  teams: {fle: teams.yaml}");
    assert!(check(folder.path()).unwrap_err().to_string().contains("did you mean `file`?"));
}
