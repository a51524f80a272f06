//! The shipped pack in a folder of its own, with changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use provost_agents::StandardRoles;
use provost_domain::ids::ToolName;
use provost_domain::pack::{Pack, PackFiles};
use provost_domain::schema::ArgSchema;
use provost_domain::tool::{Catalog, EffectClass, Risk, ToolSpec};
use provost_form::FormErrors;
use provost_mail::StandardForms;
use provost_packs::{Inventory, LoadedPack, load_again, load_with_files};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Stands in a replacement where the mistake's place is expected.
pub(crate) const MARK: char = '¦';

pub(crate) fn shipped(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn catalog() -> Catalog {
    let text = json!({"type": "string"});
    let change =
        json!({"environment": {"type": "string", "x-roster": "environments"}, "service": text, "reason": text});
    let notify = json!({"team": {"type": "string", "x-roster": "teams"}, "reason": text, "session_id": text});
    let scrape = json!({"series": {"type": "array", "items": text, "minItems": 1}, "service": text, "window": text});
    let query = json!({"query": {"type": "string", "x-syntax": "promql"}, "time": text});
    let tools = [
        ("prom:query", EffectClass::Read, query),
        ("metrics:scrape", EffectClass::Read, scrape),
        ("logs:tail", EffectClass::Read, json!({"file": text, "lines": {"type": "integer"}})),
        ("service:status", EffectClass::Read, json!({})),
        ("service:releases", EffectClass::Read, json!({})),
        ("service:rollback", EffectClass::Unsafe, change.clone()),
        ("service:restart", EffectClass::Idempotent, change),
        ("notify:oncall", EffectClass::Idempotent, notify),
        ("odd:a.b", EffectClass::Read, json!({})),
        ("odd:a/b", EffectClass::Read, json!({})),
    ];
    let entry =
        |(name, effect, properties): (&str, _, Value)| (ToolName::new(name), Arc::new(spec(name, effect, &properties)));
    tools.into_iter().map(entry).collect()
}

fn spec(name: &str, effect: EffectClass, properties: &Value) -> ToolSpec {
    let schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    let schema = ArgSchema::new(schema).unwrap();
    let text = json!({"type": "string"});
    ToolSpec {
        name: ToolName::new(name),
        description: String::new(),
        rosters: schema.roster_bindings(),
        schema,
        effect,
        risk: Risk::Low,
        timeout: Duration::from_secs(1),
        output_limit: 1000,
        tells_people: name.starts_with("notify:"),
        claim: provost_domain::claims::ClaimRule::default(),
        risk_floor: None,
        output: (name == "prom:query").then(|| {
            Arc::new(json!({"type": "object", "additionalProperties": false,
            "properties": {"value": {"type": "number"}, "unit": text}}))
        }),
    }
}

pub(crate) fn check(folder: &Path) -> Result<Pack, FormErrors> {
    loaded(folder).map(|loaded| loaded.pack)
}

/// The pack with what is odd in it.
pub(crate) fn loaded(folder: &Path) -> Result<LoadedPack, FormErrors> {
    around(|known| load_with_files(folder, known))
}

/// The pack from files that were stored.
pub(crate) fn again(folder: &Path, files: &PackFiles) -> Result<Pack, FormErrors> {
    around(|known| load_again(folder, files, known))
}

fn around<T>(load: impl FnOnce(Inventory<'_>) -> T) -> T {
    let models = BTreeSet::from(["default".to_owned()]);
    load(Inventory { catalog: &catalog(), models: Some(&models), roles: &StandardRoles, forms: &StandardForms })
}

/// The shipped pack in a folder of its own.
pub(crate) fn copied() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&shipped("skills/incident"), folder.path());
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Replaces a text in a file, and returns where the mark stood, as line and column.
#[track_caller]
pub(crate) fn change(folder: &Path, file: &str, from: &str, to: &str) -> (u64, u64) {
    let path = folder.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} does not hold {from}");
    let text = text.replacen(from, to, 1);
    let before = text.split_once(MARK).map_or("", |(before, _)| before);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    fs::write(path, text.replace(MARK, "")).unwrap();
    (line as u64, column as u64)
}

/// The errors by file, as `line:column: message`.
pub(crate) fn told(folder: &Path, errors: &FormErrors) -> BTreeMap<String, Vec<String>> {
    let mut told = BTreeMap::<String, Vec<String>>::new();
    for error in &errors.0 {
        let file = error.file.strip_prefix(folder).unwrap().display().to_string();
        told.entry(file).or_default().push(format!("{}:{}: {}", error.line, error.column, error.message));
    }
    told
}

/// The shipped pack with one change, loaded.
#[track_caller]
pub(crate) fn with(file: &str, from: &str, to: &str) -> Pack {
    let folder = copied();
    change(folder.path(), file, from, to);
    check(folder.path()).unwrap()
}

/// A change whose mistake is found at the mark.
#[track_caller]
pub(crate) fn wrong(file: &str, from: &str, to: &str, part: &str) {
    let folder = copied();
    let place = change(folder.path(), file, from, to);
    let errors = check(folder.path()).unwrap_err();
    let [error] = errors.0.as_slice() else { panic!("not one error: {errors}") };
    assert_eq!((error.line, error.column), place, "{errors}");
    assert!(error.message.contains(part) || error.hint.contains(part), "{errors}");
}
