//! The configuration: variables, and all mistakes at once.

use std::fs;
use std::time::Duration;

use provost_packs::{PackErrors, load_config};

use crate::support::shipped;

#[test]
fn the_shipped_configuration_loads_and_variables_are_replaced() {
    let path = shipped("config/provost.yaml");
    let config = load_config(&path, &|name| (name == "SHOP_URL").then(|| "http://127.0.0.1:1".to_owned())).unwrap();
    assert_eq!(config.tools.metrics.unwrap().endpoint, "http://127.0.0.1:1/metrics");
    assert_eq!(config.store, "sqlite:///var/lib/provost/provost.db");
    assert!(config.packs.first().unwrap().join("pack.yaml").exists());
    assert_eq!((config.engine.sessions_max, config.engine.drain), (256, Duration::from_secs(30)));
}

fn errors(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> PackErrors {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.yaml");
    fs::write(&path, text).unwrap();
    load_config(&path, variable).unwrap_err()
}

#[track_caller]
fn says(text: &str, expect: &[(u64, u64, &str)]) {
    let found = errors(text, &|_| None);
    let found: Vec<_> = found.0.iter().map(|error| (error.line, error.column, error.message.as_str())).collect();
    assert_eq!(found, expect);
}

#[test]
fn all_mistakes_come_at_once_with_their_places() {
    says(
        "store: ${NOWHERE}/x\npacks: incident\nmodels:\n  a: {provider: oracle, script: x}\n  b: {provider: scripted}\ntols: {}\n\
         engine: {sessions_max: 0, drain: soon}\nstore: sqlite://x\n",
        &[
            (1, 8, "the store is not known: `it`"),
            (1, 8, "the variable `NOWHERE` is not set"),
            (2, 8, "expected a list, found a text"),
            (4, 17, "the provider is not known"),
            (5, 6, "the key `script` is missing"),
            (6, 1, "unknown key `tols`"),
            (7, 24, "expected a whole number from 1, found `0`"),
            (7, 34, "not a duration: expected number at 0"),
            (8, 1, "the key `store` is written twice"),
        ],
    );
    says("packs: []\nmodels: {}\nstore: sqlite://${OPEN\n", &[(3, 8, "`${` is not closed")]);
}

#[test]
fn a_variable_brings_in_its_text_and_nothing_else_and_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.yaml");
    fs::write(&path, "store: \"sqlite://${A}\"\npacks: []\nmodels: {}\nengine: {sessions_max: \"${N}\"}\n").unwrap();
    let hostile = "x\"\npacks: [evil]\n#";
    let variable = |name: &str| Some(if name == "N" { "7" } else { hostile }.to_owned());
    let config = load_config(&path, &variable).unwrap();
    assert_eq!((config.packs.len(), config.engine.sessions_max), (0, 7));
    assert_eq!(config.store, format!("sqlite://{hostile}"));

    let secret = errors("store: ${A}\npacks: []\nmodels: {}\n", &|_| Some("other://user:hunter2@host".to_owned()));
    assert!(!secret.to_string().contains("hunter2"), "{secret}");
    let secret = errors("store: sqlite://x\npacks: []\nmodels: {}\nengine: {drain: \"${A}\"}\n", &|_| {
        Some("hunter2".to_owned())
    });
    assert!(!secret.to_string().contains("hunter2"), "{secret}");
}

#[test]
fn what_cannot_be_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.yaml");
    fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
    assert!(load_config(&path, &|_| None).unwrap_err().to_string().contains("not UTF-8"));
    assert!(load_config(folder.path(), &|_| None).unwrap_err().to_string().contains("is not a file"));
    assert!(errors("store: [\n", &|_| None).to_string().contains("provost.yaml:"));
}
