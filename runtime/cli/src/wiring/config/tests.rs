//! The configuration: variables, and all mistakes at once.

use std::fs;
use std::time::Duration;

use provost_domain::access::AccessRole;
use provost_form::SecretPlace;

use super::super::retention::Age;
use super::*;

#[test]
fn the_shipped_configuration_loads_and_variables_are_replaced() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/provost.yaml");
    let config = load(&path, &|name| (name == "SHOP_URL").then(|| "http://127.0.0.1:1".to_owned())).unwrap();
    let tools = format!("{:?}", config.tools);
    assert!(tools.contains("MetricsSection { endpoint: \"http://127.0.0.1:1/metrics\" }"), "{tools}");
    assert_eq!(config.store.to_string(), "sqlite:///var/lib/provost/provost.db");
    assert!(config.packs.first().unwrap().join("pack.yaml").exists());
    assert_eq!((config.engine.sessions_max(), config.engine.drain), (256, Duration::from_secs(30)));
}

fn errors(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> FormErrors {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.yaml");
    fs::write(&path, text).unwrap();
    load(&path, variable).unwrap_err()
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
    says(
        "store: sqlite://x\npacks: []\nmodels: {a: {scrip: x}}\nserver: {listen: everywhere}\n",
        &[
            (3, 13, "the key `provider` is missing"),
            (3, 14, "unknown key `scrip`"),
            (4, 18, "not an address to listen on"),
        ],
    );
    says("packs: []\nmodels: {}\nstore: sqlite://${OPEN\n", &[(3, 8, "`${` is not closed")]);
}

#[test]
fn ages_are_written_with_their_unit_or_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.yaml");
    let kept = |retention: &str| {
        fs::write(&path, format!("store: sqlite://x\npacks: []\nmodels: {{}}\n{retention}\n")).unwrap();
        load(&path, &|_| None).unwrap().retention
    };
    let days = |days: u64| Age(Some(Duration::from_hours(days * 24)));
    let blank = kept("");
    assert_eq!((blank.sessions, blank.deliveries, blank.outbox), (Age(None), days(90), days(90)));
    let written = kept("retention: {sessions: 400d, deliveries: off, outbox: 30d, every: 1h}");
    let ages = (written.sessions, written.deliveries, written.outbox);
    assert_eq!((ages, written.every.0), ((days(400), Age(None), days(30)), Duration::from_hours(1)));
    says(
        "store: sqlite://x\npacks: []\nmodels: {}\nretention: {sesions: 1d, deliveries: 0s, outbox: soon, every: 0s}\n",
        &[
            (4, 13, "unknown key `sesions`"),
            (4, 38, "the age is below a minute or above a hundred years"),
            (4, 50, "not an age: expected number at 0"),
            (4, 63, "the duration is zero"),
        ],
    );
}

#[test]
fn a_variable_brings_in_its_text_and_nothing_else_and_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.yaml");
    fs::write(&path, "store: \"sqlite://${A}\"\npacks: []\nmodels: {}\nengine: {sessions_max: \"${N}\"}\n").unwrap();
    let hostile = "x\"\npacks: [evil]\n#";
    let variable = |name: &str| Some(if name == "N" { "7" } else { hostile }.to_owned());
    let config = load(&path, &variable).unwrap();
    assert_eq!((config.packs.len(), config.engine.sessions_max()), (0, 7));
    assert_eq!(config.store.file(), Some(&*folder.path().join(hostile)));

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
    assert!(load(&path, &|_| None).unwrap_err().to_string().contains("not UTF-8"));
    assert!(load(folder.path(), &|_| None).unwrap_err().to_string().contains("is not a file"));
    assert!(errors("store: [\n", &|_| None).to_string().contains("provost.yaml:"));
}

#[test]
fn what_is_taken_from_outside_is_read_in_full_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.yaml");
    let load = |intake: &str| {
        fs::write(&path, format!("store: sqlite://x\npacks: []\nmodels: {{}}\n{intake}\n")).unwrap();
        load(&path, &|_| None)
    };
    let none = load("").unwrap().intake;
    assert!(none.alertmanager.is_none() && none.pagerduty.is_none());
    let keys = "{a: {file: key}, b: {env: KEY}}";
    let read =
        load(&format!("intake: {{pagerduty: {{pack: p, routing_keys: {keys}}}, waiting_max: 7}}")).unwrap().intake;
    let pagerduty = read.pagerduty.unwrap();
    assert_eq!((pagerduty.pack.0, read.waiting_max.get()), (vec!["p".to_owned()], 7));
    assert!(matches!(&pagerduty.routing_keys["a"], SecretPlace::File(file) if *file == folder.path().join("key")));
    let several = load("intake: {alertmanager: {pack: [a, b]}}").unwrap().intake.alertmanager.unwrap();
    assert_eq!(several.pack.0, ["a", "b"]);
    for (text, part) in [
        ("intake: {alertmanager: {pack: []}}", "expected the name of a pack"),
        ("intake: {github: {pack: p}}", "the key `secrets` is missing"),
        ("intake: {webhooks: {a: {pack: p, signature: {secrets: {a: hush}}}}}", "where the secret is"),
        ("intake: {webhooks: {a: {pack: p, signature: {header: x}}}}", "the key `secrets` is missing"),
        ("intake: {slack: {}}", "unknown key `slack`"),
        ("intake: {alertmanager: {}}", "the key `pack` is missing"),
        ("intake: {waiting_max: 0}", "a whole number from 1"),
        ("intake: {pagerduty: {pack: p, routing_keys: {a: sk-hush}}}", "where the secret is"),
    ] {
        let error = load(text).unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains("hush"), "{error}");
    }
}

/// Every configuration of the page on deliveries is read, with secrets that are there.
#[test]
fn the_sections_of_the_page_on_deliveries_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.yaml");
    let page = include_str!("../../../../../docs/src/intake.md");
    let blocks = page.split("```yaml\n# provost.yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut formats = std::collections::BTreeSet::new();
    for block in blocks {
        fs::write(&path, format!("store: sqlite://x\npacks: []\nmodels: {{}}\n{block}\n")).unwrap();
        let intake = load(&path, &|_| None).unwrap_or_else(|error| panic!("{block}: {error}")).intake;
        let settings = intake.settings(&|_| Ok("whsec_AAAA".to_owned().into())).unwrap();
        formats.extend(settings.formats.keys().map(|format| format.as_str().to_owned()));
    }
    let all = ["alertmanager", "cloudevents", "github", "pagerduty", "pagerduty_v3"].map(str::to_owned);
    let webhooks = ["webhook.backups", "webhook.certificates", "webhook.plain"].map(str::to_owned);
    assert_eq!(formats, all.into_iter().chain(webhooks).collect());
}

#[test]
fn a_configured_token_says_where_its_secret_is() {
    let rest = "store: sqlite://x\npacks: []\nmodels: {}\nserver:\n  tokens:\n";
    says(
        &format!("{rest}    - {{name: a, role: admin}}\n    - {{name: b, role: boss, env: B}}\n"),
        &[(6, 7, "the token has no secret"), (7, 23, "`boss` is not known here")],
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.yaml");
    fs::write(&path, format!("{rest}    - {{name: a, role: admin, credential: c, file: secrets/a}}\n")).unwrap();
    let config = load(&path, &|_| None).unwrap();
    let token = &config.server.tokens[0];
    assert_eq!((token.role, token.credential.as_deref()), (AccessRole::Admin, Some("c")));
    assert_eq!(token.file.as_deref(), Some(&*folder.path().join("secrets/a")));
}

#[test]
fn a_fallback_is_another_model_and_no_circle() {
    let model =
        |name: &str, fallback: &str| format!("  {name}: {{provider: scripted, script: x, fallback: [{fallback}]}}\n");
    let of = |models: &[(&str, &str)]| {
        let models: String = models.iter().map(|(name, fallback)| model(name, fallback)).collect();
        format!("store: sqlite://x\npacks: []\nmodels:\n{models}")
    };
    says(
        &of(&[("a", "b, a"), ("b", "c")]),
        &[(4, 52, "the model `a` names itself as its fallback"), (5, 49, "the fallback `c` is not a configured model")],
    );
    says(
        &of(&[("a", "b"), ("b", "c"), ("c", "a")]),
        &[
            (4, 49, "`b` falls back to `a` again: a circle"),
            (5, 49, "`c` falls back to `b` again: a circle"),
            (6, 49, "`a` falls back to `c` again: a circle"),
        ],
    );
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("provost.yaml");
    fs::write(&path, of(&[("a", "b, c"), ("b", "d"), ("c", "d"), ("d", "")])).unwrap();
    let config = load(&path, &|_| None).unwrap();
    assert_eq!(fallback::of(&config.models, "a"), ["b", "d", "c"]);
}
