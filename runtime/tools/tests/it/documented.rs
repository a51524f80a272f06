//! The examples of the page about tools are read and built as they stand there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use provost_form::{At, ErrorLog, FromYaml as _, YamlNode, parse};
use provost_tools::ToolsConfig;
use serde_json::{Map, Value, json};

/// The blocks of YAML on a page.
fn examples(page: &str) -> Vec<String> {
    let page = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/src").join(page);
    let text = std::fs::read_to_string(page).unwrap();
    text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// Writes what a person would have accepted of the servers of a section.
fn accept(folder: &Path, section: &YamlNode) {
    for (name, server) in
        section.entries().filter(|(_, server)| server.get("kind").and_then(YamlNode::text) == Some("mcp"))
    {
        let tool = |(key, tool): (&At<String>, &YamlNode)| {
            let name = tool.get("name").and_then(YamlNode::text).unwrap_or(key).to_owned();
            let fixed = tool.get("fix").into_iter().flat_map(YamlNode::entries);
            let properties: Map<String, Value> = fixed.map(|(name, _)| (name.value.clone(), json!({}))).collect();
            (name, json!({"description": "Does it.", "input_schema": {"type": "object", "properties": properties}}))
        };
        let tools: Map<String, Value> = server.get("tools").into_iter().flat_map(YamlNode::entries).map(tool).collect();
        std::fs::create_dir_all(folder.join("accepted")).unwrap();
        let file = folder.join("accepted").join(format!("{}.json", name.value));
        std::fs::write(file, json!({ "tools": tools }).to_string()).unwrap();
    }
}

/// Reads and builds every example of a page. The kinds of its servers.
fn read(page: &str) -> BTreeSet<String> {
    let mut kinds = BTreeSet::new();
    for example in examples(page) {
        let folder = tempfile::tempdir().unwrap();
        let mut log = ErrorLog::new(folder.path().join("provost.yaml"));
        let node = parse(&example, &mut log).unwrap();
        let section = node.get("tools").unwrap();
        accept(folder.path(), section);
        let config = ToolsConfig::read(section, &mut log);
        assert!(log.errors.is_empty(), "{example}{:?}", log.errors);
        let tools = config.unwrap().open_without_secrets().unwrap();
        assert!(!crate::built(&tools).unwrap().is_empty(), "{example}");
        kinds.extend(section.entries().filter_map(|(_, server)| server.get("kind")?.text().map(str::to_owned)));
    }
    kinds
}

#[test]
fn every_example_is_read_and_every_kind_has_one() {
    let all = ["alertmanager", "command", "files", "http", "loki", "mcp", "metrics", "notify", "probe", "prometheus"];
    assert_eq!(read("tools.md"), all.map(str::to_owned).into());
}

#[test]
fn every_recipe_of_the_cookbook_is_read() {
    assert_eq!(read("tools-cookbook.md"), ["command", "http", "loki", "mcp"].map(str::to_owned).into());
    assert!(examples("tools-cookbook.md").len() >= 12);
}
