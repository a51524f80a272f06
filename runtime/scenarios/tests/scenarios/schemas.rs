//! The published schemas are those of the declarations, and the page names every key of a scenario.

use std::fs;

use provost_form::Json;
use provost_packs::{agent_schema, pack_schema};
use provost_scenarios::scenario_schema;

use crate::support::shipped;

#[test]
fn the_published_schemas_are_current() {
    for (name, schema) in [("pack", pack_schema()), ("agent", agent_schema()), ("scenario", scenario_schema())] {
        let path = shipped(&format!("docs/schemas/{name}.json"));
        let found = fs::read_to_string(&path).unwrap_or_default();
        let expect = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        let command = format!("cargo run -p provost-cli -- packs schema {name} > docs/schemas/{name}.json");
        assert!(found == expect, "run `{command}`");
    }
}

/// The keys of all tables of a schema.
fn keys(schema: &Json, found: &mut Vec<String>) {
    match schema {
        Json::Object(entries) => {
            if let Some(Json::Object(properties)) = entries.get("properties") {
                found.extend(properties.keys().cloned());
            }
            entries.values().for_each(|inner| keys(inner, found));
        }
        Json::Array(items) => items.iter().for_each(|inner| keys(inner, found)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

#[test]
fn the_page_names_every_key_and_every_answer() {
    let page = fs::read_to_string(shipped("docs/src/scenarios.md")).unwrap();
    let schema = scenario_schema();
    let mut names = Vec::new();
    keys(&schema, &mut names);
    let answers = &schema["properties"]["people"]["items"]["properties"]["answer"]["enum"];
    names.extend(answers.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()));
    assert!(names.len() > 25, "{names:?}");
    let missing: Vec<_> = names.iter().filter(|name| !page.contains(&format!("`{name}"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Every file of the shipped packs fits its schema.
#[test]
fn shipped_files_fit_their_schemas() {
    for pack in ["skills/incident", "skills/code-review", "runtime/cli/starters/empty"] {
        let mut seen = 0;
        for entry in fs::read_dir(shipped(pack).join("tests")).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if !name.ends_with(".script.yaml") && name != "tools.yaml" {
                fits(&entry.path(), scenario_schema());
                seen += 1;
            }
        }
        fits(&shipped(pack).join("pack.yaml"), pack_schema());
        for entry in fs::read_dir(shipped(pack).join("agents")).unwrap().map(Result::unwrap) {
            fits(&entry.path().join("agent.yaml"), agent_schema());
        }
        assert!(seen >= 2, "{pack}");
    }
}

#[track_caller]
fn fits(path: &std::path::Path, schema: Json) {
    let mut log = provost_form::ErrorLog::new(path.to_owned());
    let tree = provost_form::parse(&fs::read_to_string(path).unwrap(), &mut log).unwrap();
    let schema = provost_domain::schema::ArgSchema::new(schema).unwrap();
    assert_eq!(schema.problems(&tree.value()), [] as [String; 0], "{}", path.display());
}
