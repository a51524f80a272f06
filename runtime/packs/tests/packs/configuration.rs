//! The configuration: variables, and all mistakes at once.

use std::fs;
use std::time::Duration;

use provost_domain::access::AccessRole;
use provost_packs::{Age, Model, NotifyTarget, PackErrors, SecretPlace, load_config};

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
        load_config(&path, &|_| None).unwrap().retention
    };
    let days = |days: u64| Age(Some(Duration::from_hours(days * 24)));
    let blank = kept("");
    assert_eq!((blank.sessions, blank.deliveries, blank.outbox), (Age(None), days(90), days(90)));
    let written = kept("retention: {sessions: 400d, deliveries: off, outbox: 30d, every: 1h}");
    let ages = (written.sessions, written.deliveries, written.outbox);
    assert_eq!((ages, written.every), ((days(400), Age(None), days(30)), Duration::from_hours(1)));
    says(
        "store: sqlite://x\npacks: []\nmodels: {}\nretention: {sesions: 1d, deliveries: 0s, outbox: soon, every: 0s}\n",
        &[
            (4, 13, "unknown key `sesions`"),
            (4, 38, "the age is below a minute or above a hundred years"),
            (4, 50, "not an age: expected number at 0"),
            (4, 63, "the duration is no time at all"),
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

/// The rest of a model on a server, after what names the server.
const SERVER: &str = "provider: openai_compatible, base_url: \"http://127.0.0.1:1/v1\", model: m";

#[track_caller]
fn model(text: &str) -> Result<Model, PackErrors> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.yaml");
    fs::write(&path, format!("store: sqlite://x\npacks: []\nmodels: {{default: {{{text}}}}}\n")).unwrap();
    let mut model = load_config(&path, &|_| None)?.models.remove("default").unwrap();
    if let Model::OpenaiCompatible { api_key: Some(SecretPlace::File(file)), .. } = &mut model {
        *file = file.strip_prefix(folder.path()).unwrap().to_owned();
    }
    Ok(model)
}

#[test]
fn a_target_of_notifications_is_a_webhook_unless_it_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.yaml");
    let load = |target: &str| {
        let tools = format!("outbox: {{give_up_after: 2h}}\ntools: {{notify: {{team: {{{target}}}}}}}");
        fs::write(&path, format!("store: sqlite://x\npacks: []\nmodels: {{}}\n{tools}\n")).unwrap();
        Ok::<_, PackErrors>(load_config(&path, &|_| None)?.tools.notify.remove("team").unwrap())
    };
    let plain = load("url: \"http://h/\"").unwrap();
    assert!(matches!(plain, NotifyTarget::Webhook { url, secret: None, outbox: true } if url == "http://h/"));
    let signed = load("kind: webhook, url: u, secret: {file: key}").unwrap();
    let beside = folder.path().join("key");
    assert!(matches!(signed, NotifyTarget::Webhook { secret: Some(SecretPlace::File(file)), .. } if file == beside));
    let pager = load("kind: pagerduty, url: u, routing_key: {env: KEY}").unwrap();
    assert!(pager.outbox() && !load("url: u, outbox: false").unwrap().outbox());
    assert!(matches!(pager, NotifyTarget::Pagerduty { routing_key: SecretPlace::Env(name), .. } if name == "KEY"));
    for (text, part) in [
        ("kind: pager, url: u", "did you mean `pagerduty`?"),
        ("kind: pagerduty, url: u", "the key `routing_key` is missing"),
        ("url: u, routing_key: {env: KEY}", "unknown key `routing_key`"),
        ("url: u, secret: sk-hush", "where the secret is"),
    ] {
        let error = load(text).unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains("hush"), "{error}");
    }
}

#[test]
fn a_model_server_is_read_in_full() {
    let written = format!("{SERVER}, api_key: {{file: key}}, ca_file: ca.pem, request_timeout: 90s");
    let Model::OpenaiCompatible { base_url, model: name, api_key, ca_file, connect_timeout, request_timeout } =
        model(&written).unwrap()
    else {
        unreachable!("the provider is a server");
    };
    assert_eq!((base_url.as_str(), name.as_str()), ("http://127.0.0.1:1/v1", "m"));
    assert_eq!((connect_timeout, request_timeout), (Duration::from_secs(5), Duration::from_secs(90)));
    assert!(matches!(api_key, Some(SecretPlace::File(file)) if file.as_os_str() == "key"));
    assert!(ca_file.is_some_and(|file| file.is_absolute() && file.ends_with("ca.pem")));
    for key in ["{credential: model-key}", "{env: KEY}"] {
        model(&format!("{SERVER}, api_key: {key}")).unwrap();
    }
    model(SERVER).unwrap();
}

#[test]
fn what_is_taken_from_outside_is_read_in_full_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("provost.yaml");
    let load = |intake: &str| {
        fs::write(&path, format!("store: sqlite://x\npacks: []\nmodels: {{}}\n{intake}\n")).unwrap();
        load_config(&path, &|_| None)
    };
    let none = load("").unwrap().intake;
    assert!(none.alertmanager.is_none() && none.pagerduty.is_none());
    let keys = "{a: {file: key}, b: {env: KEY}}";
    let read =
        load(&format!("intake: {{pagerduty: {{pack: p, routing_keys: {keys}}}, waiting_max: 7}}")).unwrap().intake;
    let pagerduty = read.pagerduty.unwrap();
    assert_eq!((pagerduty.pack.as_str(), read.waiting_max.get()), ("p", 7));
    assert!(matches!(&pagerduty.routing_keys["a"], SecretPlace::File(file) if *file == folder.path().join("key")));
    for (text, part) in [
        ("intake: {slack: {}}", "unknown key `slack`"),
        ("intake: {alertmanager: {}}", "the key `pack` is missing"),
        ("intake: {waiting_max: 0}", "a whole number from 1"),
        ("intake: {pagerduty: {pack: p, routing_keys: {a: sk-hush}}}", "where the secret is"),
    ] {
        let error = load(text).unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains("hush"), "{error}");
    }
}

#[test]
fn a_model_server_is_named_in_full_or_refused_and_a_key_is_never_shown() {
    for (text, part) in [
        ("provider: openai_compatible, model: m", "the key `base_url` is missing"),
        ("provider: openai_compatible, base_url: x", "the key `model` is missing"),
        (&format!("{SERVER}, temperature: 1"), "unknown key `temperature`"),
        (&format!("{SERVER}, api_key: {{vault: sk-hush}}"), "where the secret is"),
        (&format!("{SERVER}, api_key: {{sk-hush: env}}"), "where the secret is"),
        (&format!("{SERVER}, api_key: {{env: A, file: sk-hush}}"), "where the secret is"),
        (&format!("{SERVER}, api_key: sk-hush"), "where the secret is"),
        (&format!("{SERVER}, api_key: {{env: [sk-hush]}}"), "expected a text, found a list"),
        (&format!("{SERVER}, request_timeout: 60"), "expected a duration, found `60`"),
        (&format!("{SERVER}, connect_timeout: 0s"), "the duration is no time at all"),
    ] {
        let errors = model(text).unwrap_err();
        assert_eq!(errors.0.len(), 1, "{errors}");
        assert!(errors.to_string().contains(part), "does not say `{part}`: {errors}");
        assert!(!errors.to_string().contains("hush"), "{errors}");
    }
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
    let config = load_config(&path, &|_| None).unwrap();
    let token = &config.server.tokens[0];
    assert_eq!((token.role, token.credential.as_deref()), (AccessRole::Admin, Some("c")));
    assert_eq!(token.file.as_deref(), Some(&*folder.path().join("secrets/a")));
}
