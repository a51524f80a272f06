//! The examples of the page about tools are read and built as they stand there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use provost_form::{ErrorLog, FromYaml as _, parse};
use provost_tools::ToolsConfig;

/// The blocks of YAML on the page.
fn examples() -> Vec<String> {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/tools.md");
    let text = std::fs::read_to_string(page).unwrap();
    text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn every_example_is_read_and_every_kind_has_one() {
    let mut kinds = BTreeSet::new();
    for example in examples() {
        let mut log = ErrorLog::new("/etc/provost/provost.yaml".into());
        let node = parse(&example, &mut log).unwrap();
        let section = node.get("tools").unwrap();
        let config = ToolsConfig::read(section, &mut log);
        assert!(log.errors.is_empty(), "{example}{:?}", log.errors);
        let tools = config.unwrap().open_without_secrets().unwrap();
        assert!(!crate::built(&tools).unwrap().is_empty(), "{example}");
        kinds.extend(section.entries().filter_map(|(_, server)| server.get("kind")?.text().map(str::to_owned)));
    }
    let all = ["alertmanager", "files", "http", "loki", "metrics", "notify", "prometheus"];
    assert_eq!(kinds, all.map(str::to_owned).into());
}
