//! The book says what the code does.

use std::path::Path;

#[test]
fn the_page_of_error_codes_is_current() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/errors.md");
    let command = "cargo run -p provost-tests --example error_codes > docs/src/errors.md";
    assert_eq!(std::fs::read_to_string(page).unwrap(), provost_tests::docs::error_codes(), "run `{command}`");
}

/// The page on security names a test for each measure, and each of them is there.
#[test]
fn the_tests_of_security_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("docs/src/security.md")).unwrap();
    let measures = page.split("## Measures").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = measures.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.rsplit_once(" | "));
    let rows: Vec<_> = rows.filter(|(_, tests)| *tests != "test").collect();
    assert!(rows.len() > 20, "{rows:?}");
    let sources: String = ["tests", "runtime", "agents"].iter().map(|folder| rust(&root.join(folder))).collect();
    for (measure, tests) in rows {
        for test in tests.split(", ") {
            let declared = format!("fn {}(", test.trim_matches('`'));
            assert!(sources.contains(&declared), "{measure}: there is no test {test}");
        }
    }
}

/// Everything that is written in Rust under a folder.
fn rust(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| match path.extension() {
        _ if path.is_dir() => rust(&path),
        Some(own) if own == "rs" => std::fs::read_to_string(&path).unwrap(),
        _ => String::new(),
    };
    entries.map(read).collect()
}

/// Every page of the book is in its table of contents, and every link within the book leads somewhere.
#[test]
fn pages_and_links_are_there() {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src");
    let contents = std::fs::read_to_string(book.join("SUMMARY.md")).unwrap();
    for entry in std::fs::read_dir(&book).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().extension().is_some_and(|own| own == "md") && name != "SUMMARY.md" {
            assert!(contents.contains(&format!("({name})")), "{name} is not in SUMMARY.md");
            let text = std::fs::read_to_string(book.join(&name)).unwrap();
            for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
                let there = link.is_empty() || link.contains("://") || book.join(link).exists();
                assert!(there, "{name} links to {link}, which is not there");
            }
        }
    }
}
