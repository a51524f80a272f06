//! The book says what the code does.

use std::path::Path;

#[test]
fn the_page_of_error_codes_is_current() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/errors.md");
    let command = "cargo run -p provost-tests --example error_codes > docs/src/errors.md";
    assert_eq!(std::fs::read_to_string(page).unwrap(), provost_tests::docs::error_codes(), "run `{command}`");
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
